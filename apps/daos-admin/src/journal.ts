import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { formatConsoleLine, type LogRecord } from "@daos/log";
import { startProcess } from "@daos/sys";

/** A way into the system's journal. */
export interface Journal extends AsyncDisposable {
  readonly write: (record: LogRecord) => void;
}

/** The service's standard error is the journal already. */
export function standardErrorJournal(): Journal {
  return {
    write: (record) => void process.stderr.write(`${formatConsoleLine(record)}\n`),
    [Symbol.asyncDispose]: () => Promise.resolve(),
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
  return {
    write: (record) => {
      void starting.then((logger) => {
        if (logger?.stdin.writable === true) logger.stdin.write(`${formatConsoleLine(record)}\n`);
      });
    },
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
