import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import { parseRank } from "@daos/rank";
import { addChecksum, verifyChecksum } from "./document-checksum.ts";
import type { EventRecord } from "./event-record.ts";

const SEVERITIES: ReadonlySet<unknown> = new Set(["notice", "warning", "error"]);
/** Maximum length of a text in an event, in characters. */
const MAX_TEXT = 4096;

/** Encodes an event for a store: JSON, with `version` for changes in a later release and a checksum. */
export function encodeEvent({ address, ...event }: EventRecord): string {
  const host = address === undefined ? {} : { address: formatHostAddress(address) };
  return addChecksum(JSON.stringify({ version: 1, ...event, ...host }));
}

/**
 * Decodes what {@link encodeEvent} wrote. @returns undefined when it cannot be decoded: an unreadable event is no
 * failure
 */
export function readKeptEvent(document: string): EventRecord | undefined {
  try {
    if (!verifyChecksum(document)) return undefined;
    const found = JSON.parse(document) as Readonly<Record<string, unknown>>;
    const { version, number, time, kind, severity, message, rank, uuid, address } = found;
    if (version !== 1 || !isCount(number) || !isCount(time)) return undefined;
    if (!isText(kind) || !isText(message) || !SEVERITIES.has(severity)) return undefined;
    return {
      number,
      time,
      kind,
      severity: severity as EventRecord["severity"],
      message,
      ...(rank === undefined ? {} : { rank: parseRank(rank) }),
      ...(isText(uuid) ? { uuid } : {}),
      ...(isText(address) ? { address: parseHostAddress(address) } : {}),
    };
  } catch {
    return undefined;
  }
}

function isCount(found: unknown): found is number {
  return Number.isSafeInteger(found) && (found as number) >= 0;
}

function isText(found: unknown): found is string {
  return typeof found === "string" && found.length <= MAX_TEXT;
}
