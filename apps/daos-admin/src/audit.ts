import { constants, fstatSync, readSync, writeSync } from "node:fs";
import { errorText } from "@daos/fault";
import { createLogger, formatJsonLine, type Logger, type LogRecord } from "@daos/log";
import { faultAuditFailed } from "./faults.ts";
import { openTrusted, type TrustOptions } from "./trusted-path.ts";

/** The file with every request and its outcome, one JSON object per line. */
export interface Audit extends AsyncDisposable {
  readonly log: Logger;
}

/** Texts in longer lines are truncated: a caller's request must not fill the disk. */
const MAX_TEXT = 1000;

/**
 * Opens the audit for appending. Only root may write to it or replace it.
 *
 * @param also receives every record too: the journal
 * @throws Fault helperUntrustedPath, helperAuditFailed: requests are refused without an audit
 */
export async function openAudit(
  path: string,
  options: TrustOptions & { readonly also?: ((record: LogRecord) => void) | undefined } = {},
): Promise<Audit> {
  const { O_RDWR, O_APPEND, O_CREAT } = constants;
  const file = await openTrusted(path, O_RDWR | O_APPEND | O_CREAT, { ...options, mode: 0o640 });
  if (file === undefined) throw faultAuditFailed(path, "its directory does not exist");
  if (fstatSync(file.fd).nlink !== 1) {
    await file.close();
    throw faultAuditFailed(path, "the file has more than one name");
  }
  const sink = (record: LogRecord) => {
    const cut = { ...record, fields: shorten(record.fields) };
    try {
      const begin = endsInsideLine(file.fd) ? "\n" : "";
      writeAll(file.fd, `${begin}${formatJsonLine(cut)}\n`);
    } catch (error) {
      throw faultAuditFailed(path, errorText(error), error);
    }
    options.also?.(cut);
  };
  return {
    log: createLogger(sink, { level: "INFO", component: "daos_admin" }),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Treats a partly written record as an error: a disk that becomes full accepts the first part of a line without an error. */
function writeAll(fd: number, text: string): void {
  for (let bytes = Buffer.from(text); bytes.length > 0; ) bytes = bytes.subarray(writeSync(fd, bytes));
}

/** The last record was truncated by a full disk. The next record must start a new line. */
function endsInsideLine(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== "\n";
}

function shorten(fields: LogRecord["fields"]): LogRecord["fields"] {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value,
    ]),
  );
}
