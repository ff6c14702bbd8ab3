import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { formatConsoleLine, type LogRecord } from "@daos/log";
import { startProcess } from "@daos/sys";

/** A way into the system's journal. */
export interface Journal extends AsyncDisposable {
  readonly write: (record: LogRecord) => void;
}

/** What may wait for a log daemon that does not read, bytes. The audit's file has every record anyway. */
const MAX_WAITING = 64 * 1024;

/** The service's standard error is the journal already. */
export function standardErrorJournal(): Journal {
  return { write: boundedWrite(process.stderr), [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Writes records while few bytes wait, drops them otherwise, and says how many when there is room again. */
export function boundedWrite(stream: Writable): (record: LogRecord) => void {
  let dropped = 0;
  stream.on("error", () => {});
  return (record) => {
    if (!stream.writable || stream.writableLength > MAX_WAITING) {
      dropped += 1;
      return;
    }
    if (dropped > 0) stream.write(`daos_admin: ${dropped} records of the audit were not passed on\n`);
    dropped = 0;
    stream.write(`${formatConsoleLine(record)}\n`);
  };
}

const LOGGER = "/usr/bin/logger";
const FLUSH_MS = 1_000;

/**
 * Passes records to journald or syslog through logger(1), for a process whose standard error is its caller's. The
 * audit's file is what counts: without logger, or with a log daemon that hangs, the journal goes without.
 */
export function loggerJournal(): Journal {
  const starting = startLogger().catch(() => undefined);
  const writing = starting.then((logger) => logger && boundedWrite(logger.stdin));
  return {
    write: (record) => void writing.then((write) => write?.(record)),
    [Symbol.asyncDispose]: async () => {
      const logger = await starting;
      if (logger === undefined) return;
      logger.stdin.end();
      const timer = setTimeout(() => logger.kill(), FLUSH_MS);
      await logger.ended;
      clearTimeout(timer);
    },
  };
}

async function startLogger() {
  const child = await startProcess<ChildProcessByStdio<Writable, null, null>>(
    LOGGER,
    ["--tag", "daos_admin", "--priority", "authpriv.notice"],
    { cwd: "/", env: {}, stdio: ["pipe", "ignore", "ignore"] },
  );
  const ended = once(child, "close").catch(() => {});
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  return { stdin: child.stdin, ended, kill: () => child.kill("SIGKILL") };
}
