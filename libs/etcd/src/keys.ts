const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** A key or value in etcd's form. */
export function bytes(value: string): Uint8Array<ArrayBuffer> {
  return ENCODER.encode(value);
}

/** The text of a key or value. */
export function text(value: Uint8Array): string {
  return DECODER.decode(value);
}

/** The `range_end` with which a range holds all keys that begin with `prefix`, which ends in an ASCII character. */
export function prefixEnd(prefix: string): Uint8Array<ArrayBuffer> {
  const end = bytes(prefix);
  const last = end.at(-1);
  if (last === undefined || last >= 0x7f) throw new Error(`not a prefix of keys: "${prefix}"`);
  end[end.length - 1] = last + 1;
  return end;
}
