export { formatConsoleLine, formatJsonLine } from "./format-line.ts";
export { limitRepeats } from "./limit-repeats.ts";
export { createLineQueue } from "./line-queue.ts";
export {
  createLogger,
  type LevelSwitch,
  type Logger,
  type LogLevel,
  type LogRecord,
  type LogSink,
  levelSwitch,
  parseLogLevel,
  silentLogger,
} from "./logger.ts";
export {
  createOutputLimiter,
  type OutputLimits,
} from "./output-limiter.ts";
export { redactText, redactValueText } from "./redact.ts";
