import { accessSync, closeSync, constants, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { createLineQueue, formatConsoleLine, type LogLevel, type LogRecord, type LogSink } from "@daos/log";
import { pino } from "pino";
import { faultLogFile } from "./faults.ts";
import { encodeJournalEntry, isJournal, JOURNAL_PREFIX, JOURNAL_SOCKET } from "./journal.ts";
import { openConsole } from "./open-console.ts";
import { plainValue } from "./plain-value.ts";

/** Where lines go and what they look like; `control_log_file` and `control_log_json` of the configuration. */
export interface LogSinkOptions {
  /** The log file, created with mode 0640 and appended to. Without it lines go to standard error. */
  readonly file?: string | undefined;
  /** Write one JSON object per line instead of readable text. */
  readonly json?: boolean | undefined;
  /**
   * Write errors to standard error as well as to the file, so that they are seen when the program is started; true by
   * default.
   */
  readonly errorsToConsole?: boolean | undefined;
  /**
   * Sends one datagram to a unix socket without waiting; false when the receiver's queue is full. When it is given,
   * entries for the journal have fields; entries that the journal does not take go to standard error.
   */
  readonly sendTo?: ((address: string, bytes: Uint8Array) => boolean) | undefined;
  /** The environment with JOURNAL_STREAM; the process's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The descriptor of standard error; tests set another. */
  readonly consoleFd?: number | undefined;
}

/** An open log. */
export interface OpenLogSink {
  readonly sink: LogSink;
  /**
   * Reopens the file under its name after a rotation; the app calls it at SIGHUP. Does nothing without a file. When the
   * name cannot be opened, lines continue to go to the old file, and one of them reports the failure.
   */
  reopen(): void;
  /** Writes the waiting lines and closes the file. Later lines are lost. */
  close(): void;
}

const STDERR = 2;
const FILE_MODE = 0o640;

const PINO_LEVELS = { DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const satisfies Record<
  LogLevel,
  string
>;

/** Timeout for writing the waiting lines at the end to a reader that has stopped, ms. */
const CLOSE_TIMEOUT_MS = 500;

/**
 * Opens the log. While there is room, a line is written before the call returns, so that no line is lost when the process
 * dies. A full disk or a stopped reader does not stop the program: up to 1 MiB waits, further lines are dropped and
 * counted, and the count is logged when there is room again. A file that cannot be written is reported once on standard
 * error.
 *
 * @throws Fault logFileUnusable when the file cannot be opened
 */
export function openLogSink(options: LogSinkOptions = {}): OpenLogSink {
  const {
    file,
    json = false,
    errorsToConsole = true,
    env = process.env,
    consoleFd = STDERR,
    sendTo,
  } = options;
  const journal = isJournal(env, consoleFd);
  const lines = openLines(openConsole(consoleFd), lineFormat(json, journal));
  const console = journal && sendTo !== undefined ? withFields(lines, json, sendTo) : lines;
  if (file === undefined) return { sink: console.sink, reopen: () => {}, close: () => console.finish() };

  tryFile(file);
  let fd = openSync(file, "a", FILE_MODE);
  const own = (level: LogLevel, message: string, fields: LogRecord["fields"]): LogRecord => ({
    time: new Date(),
    level,
    component: "log",
    message,
    fields: { file, ...fields },
  });
  const writer = openLines(
    (bytes) => writeSync(fd, bytes),
    lineFormat(json, false),
    (error) =>
      console.sink(
        own("ERROR", "the log file cannot be written, lines wait for room and may be dropped", { error }),
      ),
  );
  return {
    sink: (record) => {
      writer.sink(record);
      if (errorsToConsole && record.level === "ERROR") console.sink(record);
    },
    reopen: () => {
      try {
        tryFile(file);
        const next = openSync(file, "a", FILE_MODE);
        // Lines from before the rotation belong to the old file, if it has room.
        writer.flush();
        closeSync(fd);
        fd = next;
        writer.flush();
      } catch (error) {
        writer.sink(own("WARN", "the log file cannot be reopened, lines go on to the old one", { error }));
      }
    },
    close: () => {
      writer.finish();
      closeSync(fd);
      fd = -1;
      console.finish();
    },
  };
}

/** A sink that writes lines. It never throws or blocks, and its memory is bounded. */
interface Lines {
  readonly sink: LogSink;
  readonly flush: () => void;
  /** Writes the waiting lines, for at most {@link CLOSE_TIMEOUT_MS}. */
  readonly finish: () => void;
}

function openLines(
  write: (bytes: Uint8Array) => number,
  format: LineFormat,
  onError?: (error: unknown) => void,
): Lines {
  const droppedLine = (lines: number) =>
    format({
      time: new Date(),
      level: "WARN",
      component: "log",
      message: "lines were dropped while the log could not be written",
      fields: { lines },
    });
  const queue = createLineQueue({ write, droppedLine, onError });
  return {
    sink: (record) => {
      // Logging must never end the program.
      try {
        queue.push(format(record));
      } catch (error) {
        onError?.(error);
      }
    },
    flush: () => void queue.flush(),
    finish: () => {
      const end = performance.now() + CLOSE_TIMEOUT_MS;
      while (queue.flush() === "blocked" && performance.now() < end) pause(10);
    },
  };
}

/** Sends records to the journal. A record that the journal does not take goes to `lines`, where it waits for room. */
function withFields(lines: Lines, json: boolean, sendTo: NonNullable<LogSinkOptions["sendTo"]>): Lines {
  const format = journalText(json);
  const taken = (record: LogRecord) => {
    try {
      return sendTo(JOURNAL_SOCKET, encodeJournalEntry(record, format(record)));
    } catch {
      // Too large for a datagram, or there is no such socket here.
      return false;
    }
  };
  return { ...lines, sink: (record) => void (taken(record) || lines.sink(record)) };
}

/** Blocks the thread, ms; only used at the end of the program. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Opens and closes the file once, so that an unusable file is reported at the start. */
function tryFile(file: string): void {
  try {
    accessSync(dirname(file), constants.X_OK);
    // A pipe is refused: opening a pipe without a reader blocks.
    if (statSync(file, { throwIfNoEntry: false })?.isFIFO()) throw new Error("it is a pipe");
    closeSync(openSync(file, "a", FILE_MODE));
  } catch (error) {
    throw faultLogFile(file, error);
  }
}

/** One line for a record, without its line feed. */
type LineFormat = (record: LogRecord) => string;

function lineFormat(json: boolean, journal: boolean): LineFormat {
  if (!journal) return json ? jsonFormat() : formatConsoleLine;
  const format = journalText(json);
  return (record) => JOURNAL_PREFIX[record.level] + format(record);
}

/** The journal has a time of its own. */
function journalText(json: boolean): LineFormat {
  if (json) return jsonFormat();
  return (record) => {
    const line = formatConsoleLine(record);
    return line.slice(line.indexOf(" ") + 1);
  };
}

function jsonFormat(): LineFormat {
  let line = "";
  const logger = pino(
    {
      base: null,
      timestamp: false,
      messageKey: "message",
      level: "debug",
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    {
      write: (text) => {
        line = text;
      },
    },
  );
  return ({ time, level, component, message, fields }) => {
    logger[PINO_LEVELS[level]]({ time: time.toISOString(), component, ...jsonFields(fields) }, message);
    return line.trimEnd();
  };
}

const RESERVED: ReadonlySet<string> = new Set(["time", "level", "component", "message"]);

/** Errors as their message, big numbers as text; a field with the name of a part of the line gets an underscore. */
function jsonFields(fields: LogRecord["fields"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, plainValue(value)]),
  );
}
