import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { formatConsoleLine, type LogRecord } from "@daos/log";
import { startProcess } from "@daos/sys";

/** A writer to the system's journal. */
export interface Journal extends AsyncDisposable {
  readonly write: (record: LogRecord) => void;
}

/** How many bytes may be queued for a log daemon that does not read. The audit file has every record in any case. */
const MAX_WAITING = 64 * 1024;

/** The service's standard error is connected to the journal. */
export function standardErrorJournal(): Journal {
  return { write: boundedWrite(process.stderr), [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * Writes records while the queue is short. Otherwise it drops them, and reports the number when there is space again.
 */
export function boundedWrite(stream: Writable): (record: LogRecord) => void {
  let dropped = 0;
  stream.on("error", () => {});
  return (record) => {
    if (!stream.writable || stream.writableLength > MAX_WAITING) {
      dropped += 1;
      return;
    }
    if (dropped > 0) stream.write(`daos_admin: records of the audit that were not passed on: ${dropped}\n`);
    dropped = 0;
    stream.write(`${formatConsoleLine(record)}\n`);
  };
}

const LOGGER = "/usr/bin/logger";
const FLUSH_MS = 1_000;

/**
 * Sends records to journald or syslog through logger(1), for a process whose standard error belongs to its caller. The
 * audit file is authoritative: without logger, or with a hung log daemon, the journal misses records.
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
