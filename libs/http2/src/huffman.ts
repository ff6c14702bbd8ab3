import { ErrorCode, ProtocolError } from "./error-code.ts";

/**
 * Bits of the code of each byte. The codes themselves follow from them: shorter ones first, and those of one length in the
 * order of the bytes. The code for the end of a string, thirty ones, must not occur. @see RFC 7541 appendix B
 */
// biome-ignore format: sixteen bytes a line
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/** The codes of one length. */
interface CodesOfLength {
  /** The smallest code. */
  readonly first: number;
  /** The bytes, in the order of their codes. */
  readonly bytes: readonly number[];
}

/** By length. Made when the module is loaded, so that it is in the snapshot of dmg. */
const CODES: readonly CodesOfLength[] = codesByLength();

function codesByLength(): readonly CodesOfLength[] {
  const bytesOf: number[][] = Array.from({ length: Math.max(...LENGTHS) + 1 }, () => []);
  for (const [byte, length] of LENGTHS.entries()) bytesOf[length]?.push(byte);
  let next = 0;
  return bytesOf.map((bytes) => {
    const first = 2 * next;
    next = first + bytes.length;
    return { first, bytes };
  });
}

/** Reads a string in the Huffman code of HPACK, one character for each byte. @throws ProtocolError when it is none */
export function decodeHuffman(encoded: Uint8Array): string {
  const decoded: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of encoded) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const of = CODES[length];
      if (of === undefined) throw malformed();
      const found = of.bytes[code - of.first];
      if (found === undefined) continue;
      decoded.push(found);
      code = 0;
      length = 0;
    }
  }
  // The last byte is filled with ones.
  if (length > 7 || code !== 2 ** length - 1) throw malformed();
  return Buffer.from(decoded).toString("latin1");
}

function malformed(): ProtocolError {
  return new ProtocolError("a header has a string that is no Huffman code", ErrorCode.compressionError);
}
