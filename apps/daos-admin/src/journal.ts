import { spawn } from "node:child_process";
import { once } from "node:events";
import { formatConsoleLine, type LogRecord } from "@daos/log";

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
  const child = spawn(LOGGER, ["--tag", "daos_admin", "--priority", "authpriv.notice"], {
    cwd: "/",
    env: {},
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(child, "close").catch(() => {});
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  return {
    write: (record) => {
      if (child.stdin.writable) child.stdin.write(`${formatConsoleLine(record)}\n`);
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), FLUSH_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
