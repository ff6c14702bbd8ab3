export { formatConsoleLine, formatJsonLine } from "./format-line.ts";
export { createLineQueue, type LineQueue, type LineQueueOptions, type LineQueueState } from "./line-queue.ts";
export {
  createLogger,
  type LevelSwitch,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  type LogRecord,
  type LogSink,
  levelSwitch,
  parseLogLevel,
  silentLogger,
} from "./logger.ts";
export {
  createOutputLimiter,
  type OutputLimiter,
  type OutputLimiterOptions,
  type OutputLimits,
} from "./output-limiter.ts";
export { REDACTED, redactFields, redactText } from "./redact.ts";
