import { fstatSync } from "node:fs";
import type { LogLevel, LogRecord } from "@daos/log";
import { plainValue } from "./plain-value.ts";

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

/** Where the journal takes entries with fields. @see https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ */
export const JOURNAL_SOCKET = "/run/systemd/journal/socket";

const SYSLOG_IDENTIFIER = "daos_server";
/** The journal ignores fields with longer names. */
const MAX_NAME = 64;

/**
 * A record in the journal's own form, one field after another: `MESSAGE` is the text that `journalctl` shows, `DAOS_COMPONENT`
 * and `DAOS_<NAME>` of each field of the record are there to be searched (`engineIndex` is `DAOS_ENGINE_INDEX`).
 */
export function encodeJournalEntry(record: LogRecord, text: string): Uint8Array {
  const parts = [
    encodeField("MESSAGE", text),
    encodeField("PRIORITY", JOURNAL_PREFIX[record.level].slice(1, -1)),
    encodeField("SYSLOG_IDENTIFIER", SYSLOG_IDENTIFIER),
    encodeField("DAOS_COMPONENT", record.component),
  ];
  for (const [key, value] of Object.entries(record.fields)) {
    if (value !== undefined) parts.push(encodeField(fieldName(key), fieldValue(value)));
  }
  return Buffer.concat(parts);
}

function fieldName(key: string): string {
  const name = key.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").replace(/[^A-Za-z0-9]/g, "_");
  return `DAOS_${name}`.toUpperCase().slice(0, MAX_NAME);
}

function fieldValue(value: unknown): string {
  const plain = plainValue(value);
  return typeof plain === "object" && plain !== null ? JSON.stringify(plain) : String(plain);
}

/** A value with line feeds has its length in front, so that it cannot forge a field. */
function encodeField(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  if (!value.includes("\n")) return Buffer.concat([Buffer.from(`${name}=`), bytes, Buffer.from("\n")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")]);
}
