import type { LogFields } from "./log-fields.ts";
import { redactFields, redactText } from "./redact.ts";

/** The levels, least severe first. The names are those of `control_log_mask`, plus `WARN`. */
export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR";

/** One event. `component` is the path of child loggers, as in `server.instance`. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  readonly component: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Where records go. The app owns it; libraries only get a {@link Logger}. */
export type LogSink = (record: LogRecord) => void;

/** The logging port of libraries: one event, one line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger for a part of this component, which adds `fields` to each record. */
  child(component: string, fields?: LogFields): Logger;
}

const ORDER: Readonly<Record<LogLevel, number>> = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 };

/** A level that can change while loggers and their children use it. */
export interface LevelSwitch {
  readonly level: LogLevel;
  /** The initial level, to which it can be reset. */
  readonly configured: LogLevel;
  set(level: LogLevel): void;
  reset(): void;
}

/** Creates a level that can change. */
export function levelSwitch(configured: LogLevel): LevelSwitch {
  let level = configured;
  return {
    get level() {
      return level;
    },
    configured,
    set: (wanted) => {
      level = wanted;
    },
    reset: () => {
      level = configured;
    },
  };
}

/**
 * Parses a level in upper or lower case; `ERR`, as in DAOS's log masks, is accepted too. Undefined for any other text.
 */
export function parseLogLevel(text: string): LogLevel | undefined {
  const name = text.trim().toUpperCase();
  if (name === "ERR") return "ERROR";
  return Object.hasOwn(ORDER, name) ? (name as LogLevel) : undefined;
}

export interface LoggerOptions {
  /** Records below this level are dropped. A switch is read for each record. */
  readonly level: LogLevel | Pick<LevelSwitch, "level">;
  readonly component?: string;
  readonly fields?: LogFields;
  readonly now?: () => Date;
}

/** A logger that hands every record at or above `level` to `sink`, without recognizable secrets. */
export function createLogger(sink: LogSink, options: LoggerOptions): Logger {
  const { level, component = "", fields = {}, now = () => new Date() } = options;
  const write = (at: LogLevel) => (message: string, own?: LogFields) => {
    if (ORDER[at] < ORDER[typeof level === "string" ? level : level.level]) return;
    sink({
      time: now(),
      level: at,
      component,
      message: redactText(message),
      fields: redactFields(own === undefined ? fields : { ...fields, ...own }),
    });
  };
  return {
    debug: write("DEBUG"),
    info: write("INFO"),
    warn: write("WARN"),
    error: write("ERROR"),
    child: (part, own) =>
      createLogger(sink, {
        level,
        component: component === "" ? part : `${component}.${part}`,
        fields: own === undefined ? fields : { ...fields, ...own },
        now,
      }),
  };
}

/** A logger that drops everything. */
export const silentLogger: Logger = createLogger(() => {}, { level: "ERROR" });
