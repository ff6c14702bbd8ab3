import { createHash } from "node:crypto";

/** The last field of a stored document. */
const TAIL = /,"checksum":"([0-9a-f]{32})"\}$/;

/**
 * Adds a checksum to a JSON object as its last field: the first 128 bits of the SHA-256 of the object without it.
 * Releases that do not know the field ignore it.
 */
export function addChecksum(document: string): string {
  return `${document.slice(0, -1)},"checksum":"${hash(document)}"}`;
}

/**
 * Compares a document with its checksum.
 *
 * @returns false when it has none: an earlier release wrote it, or the checksum itself is damaged
 * @throws Error when it is not what was written
 */
export function verifyChecksum(document: string): boolean {
  const tail = TAIL.exec(document);
  if (tail === null) return false;
  if (hash(`${document.slice(0, tail.index)}}`) === tail[1]) return true;
  throw new Error("the document does not match its checksum: it has changed since it was written");
}

/** The first 128 bits of the SHA-256 of a text, as 32 hexadecimal digits. */
export function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
