import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { formatConsoleLine, type LogLevel, type LogRecord, type LogSink, redactText } from "@daos/log";
import { destination, pino } from "pino";
import { faultLogFile } from "./faults.ts";
import { isJournal, JOURNAL_PREFIX } from "./journal.ts";

/** Where lines go and what they look like; `control_log_file` and `control_log_json` of the configuration. */
export interface LogSinkOptions {
  /** Appended to, made with mode 0640. Without it lines go to standard error. */
  readonly file?: string | undefined;
  /** One JSON object a line instead of lines for people. */
  readonly json?: boolean | undefined;
  /** Errors that go to a file go to standard error as well, so that whoever starts the program sees them; default true. */
  readonly errorsToConsole?: boolean | undefined;
  /** The environment that tells of the journal; the process's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Standard error's descriptor; tests have another. */
  readonly consoleFd?: number | undefined;
}

/** An open log. */
export interface OpenLogSink {
  readonly sink: LogSink;
  /**
   * Closes the file and opens it again under its name, after a rotation; the app calls it at SIGHUP. Nothing happens
   * without a file. When the name cannot be opened, lines go on to the old file and one of them says so.
   */
  reopen(): void;
  /** Writes what is left and closes the file. Later lines are lost. */
  close(): void;
}

/** What a stream for lines can do: pino's destination. */
type Destination = ReturnType<typeof destination>;

const STDERR = 2;
const FILE_MODE = 0o640;

const PINO_LEVELS = { DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const satisfies Record<
  LogLevel,
  string
>;

/**
 * Opens the log. Lines are written before the call returns, so that none is lost when the process dies, and memory does not
 * grow when the disk is slow. A failed write (disk full) is reported once on standard error and does not stop the program.
 *
 * @throws Fault logFileUnusable when the file cannot be opened
 */
export function openLogSink(options: LogSinkOptions = {}): OpenLogSink {
  const { file, json = false, errorsToConsole = true, env = process.env, consoleFd = STDERR } = options;
  const console = lineWriter(openDestination(consoleFd), json, isJournal(env, consoleFd));
  if (file === undefined) return { sink: console.sink, reopen: () => {}, close: console.flush };

  tryFile(file);
  let broken = false;
  const target = openDestination(file, (error) => {
    if (broken) return;
    broken = true;
    console.sink({
      time: new Date(),
      level: "ERROR",
      component: "log",
      message: "the log file cannot be written, lines are lost",
      fields: { file, error },
    });
  });
  const writer = lineWriter(target, json, false);
  return {
    sink: (record) => {
      writer.sink(record);
      if (errorsToConsole && record.level === "ERROR") console.sink(record);
    },
    reopen: () => {
      try {
        tryFile(file);
        target.reopen();
        broken = false;
      } catch (error) {
        writer.sink({
          time: new Date(),
          level: "WARN",
          component: "log",
          message: "the log file cannot be reopened, lines go on to the old one",
          fields: { file, error: error as Error },
        });
      }
    },
    close: () => {
      writer.flush();
      target.end();
      console.flush();
    },
  };
}

/** Opens and closes the file once, so that what is wrong with it is known before anything depends on it. */
function tryFile(file: string): void {
  try {
    accessSync(dirname(file), constants.X_OK);
    // Not a pipe: opening one without a reader would wait for ever.
    if (statSync(file, { throwIfNoEntry: false })?.isFIFO()) throw new Error("it is a pipe");
    closeSync(openSync(file, "a", FILE_MODE));
  } catch (error) {
    throw faultLogFile(file, error);
  }
}

function openDestination(dest: string | number, onError: (error: Error) => void = () => {}): Destination {
  const opened = destination({ dest, sync: true, append: true, mode: FILE_MODE });
  opened.on("error", onError);
  return opened;
}

function lineWriter(
  target: Destination,
  json: boolean,
  journal: boolean,
): { readonly sink: LogSink; readonly flush: () => void } {
  const write = json ? jsonWriter(target, journal) : consoleWriter(target, journal);
  return {
    sink: (record) => {
      // Whatever a line holds or the disk does, logging must not end the program.
      try {
        write(record);
      } catch (error) {
        target.emit("error", error);
      }
    },
    flush: () => {
      try {
        target.flushSync();
      } catch (error) {
        target.emit("error", error);
      }
    },
  };
}

function consoleWriter(target: Destination, journal: boolean): LogSink {
  return (record) => {
    const line = formatConsoleLine(record);
    // The journal has a time and a priority of its own.
    const shown = journal ? `${JOURNAL_PREFIX[record.level]}${line.slice(line.indexOf(" ") + 1)}` : line;
    target.write(`${shown}\n`);
  };
}

function jsonWriter(target: Destination, journal: boolean): LogSink {
  const prefixed = { write: (line: string) => target.write(line) };
  let prefix = "";
  if (journal) prefixed.write = (line) => target.write(prefix + line);
  const logger = pino(
    {
      base: null,
      timestamp: false,
      messageKey: "message",
      level: "debug",
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    journal ? prefixed : target,
  );
  return (record: LogRecord) => {
    if (journal) prefix = JOURNAL_PREFIX[record.level];
    const { time, level, component, message, fields } = record;
    logger[PINO_LEVELS[level]]({ time: time.toISOString(), component, ...jsonFields(fields) }, message);
  };
}

const RESERVED: ReadonlySet<string> = new Set(["time", "level", "component", "message"]);

/** Errors as their message, big numbers as text; a field that is named like a part of the line gets an underscore. */
function jsonFields(fields: LogRecord["fields"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, plainValue(value)]),
  );
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return redactText(value.message);
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, plainValue(below)]));
}
