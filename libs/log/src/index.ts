export { formatConsoleLine, formatJsonLine } from "./format-line.ts";
export {
  createLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  type LogRecord,
  type LogSink,
  silentLogger,
} from "./logger.ts";
