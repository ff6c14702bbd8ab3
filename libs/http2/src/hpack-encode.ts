import { type Header, STATIC_TABLE } from "./hpack-table.ts";

const keyOf = ([name, value]: Header): string => `${name}\n${value}`;

/** The indexes of the static table by name and value, and by name alone. */
const INDEXES: ReadonlyMap<string, number> = staticIndexes();

function staticIndexes(): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const [at, header] of STATIC_TABLE.entries()) {
    all.set(keyOf(header), at + 1);
    if (!all.has(header[0])) all.set(header[0], at + 1);
  }
  return all;
}

/**
 * Encodes headers. It uses the static table only, so that the block means the same on every connection.
 *
 * @param headers names in lower case; values of the characters up to U+00FF
 */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const bytes: number[] = [];
  for (const header of headers) {
    const [name, value] = header;
    const exact = INDEXES.get(keyOf(header));
    if (exact !== undefined) {
      pushInteger(bytes, 0x80, 7, exact);
      continue;
    }
    const named = INDEXES.get(name);
    pushInteger(bytes, 0x00, 4, named ?? 0);
    if (named === undefined) pushString(bytes, name);
    pushString(bytes, value);
  }
  return Buffer.from(bytes);
}

function pushString(bytes: number[], text: string): void {
  pushInteger(bytes, 0x00, 7, text.length);
  for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
}

/** @param bits of the first byte that are the integer's; `flags` has the others. @see RFC 7541 section 5.1 */
function pushInteger(bytes: number[], flags: number, bits: number, value: number): void {
  const most = 2 ** bits - 1;
  if (value < most) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | most);
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}
