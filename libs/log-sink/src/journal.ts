import { fstatSync } from "node:fs";
import type { LogLevel } from "@daos/log";

const STDERR = 2;

/**
 * True when standard error goes to systemd's journal: `JOURNAL_STREAM` names its device and inode.
 *
 * @see man 5 systemd.exec, JOURNAL_STREAM
 */
export function isJournal(env: Readonly<Record<string, string | undefined>>, fd: number = STDERR): boolean {
  const match = /^(\d+):(\d+)$/.exec(env.JOURNAL_STREAM ?? "");
  if (match === null) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return dev === BigInt(match[1] ?? "") && ino === BigInt(match[2] ?? "");
  } catch {
    return false;
  }
}

/** The prefix from which the journal reads a line's priority. @see man 3 sd-daemon */
export const JOURNAL_PREFIX: Readonly<Record<LogLevel, string>> = {
  DEBUG: "<7>",
  INFO: "<6>",
  WARN: "<4>",
  ERROR: "<3>",
};
