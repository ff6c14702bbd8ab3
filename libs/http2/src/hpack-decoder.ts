import { ErrorCode, ProtocolError } from "./error-code.ts";
import { type Header, STATIC_TABLE } from "./hpack-table.ts";
import { decodeHuffman } from "./huffman.ts";

/** What a peer may keep in the table unless our SETTINGS say otherwise, which they do not. @see RFC 9113 section 6.5.2 */
const MAX_TABLE_BYTES = 4_096;
/** Names and values of one block of headers, each with 32 more. A block may name a long header many times. */
const MAX_LIST_BYTES = 256 * 1024;
/** What a header counts besides its text. @see RFC 7541 section 4.1 */
const OVERHEAD_BYTES = 32;

/** Decodes the blocks of headers of one connection, in the order in which they arrive. @see RFC 7541 */
export class HpackDecoder {
  /** The newest first. */
  readonly #table: Header[] = [];
  #tableBytes = 0;
  #maxTableBytes = MAX_TABLE_BYTES;

  /** @throws ProtocolError, after which the connection cannot go on */
  decode(block: Uint8Array): readonly Header[] {
    const reader = new BlockReader(block);
    const headers: Header[] = [];
    let listBytes = 0;
    while (!reader.isAtEnd) {
      const header = this.#next(reader, headers.length === 0);
      if (header === undefined) continue;
      listBytes += sizeOf(header);
      if (listBytes > MAX_LIST_BYTES)
        throw new ProtocolError("headers of more than 256 KiB", ErrorCode.enhanceYourCalm);
      headers.push(header);
    }
    return headers;
  }

  /** @returns undefined for a change of the table's size, which only the beginning of a block may have */
  #next(reader: BlockReader, isFirst: boolean): Header | undefined {
    const first = reader.peek();
    if ((first & 0x80) !== 0) return this.#lookUp(reader.integer(7));
    if ((first & 0x40) !== 0) return this.#insert(this.#literal(reader, 6));
    if ((first & 0x20) === 0) return this.#literal(reader, 4);
    if (!isFirst) throw malformed("a change of the size of the table after a header");
    const size = reader.integer(5);
    if (size > MAX_TABLE_BYTES) throw malformed(`a table of ${size} bytes`);
    this.#maxTableBytes = size;
    this.#evict(0);
    return undefined;
  }

  #literal(reader: BlockReader, bits: number): Header {
    const index = reader.integer(bits);
    const name = index === 0 ? reader.string() : this.#lookUp(index)[0];
    return [name, reader.string()];
  }

  #lookUp(index: number): Header {
    const header = STATIC_TABLE[index - 1] ?? this.#table[index - 1 - STATIC_TABLE.length];
    if (header === undefined) throw malformed(`the index ${index}, which the table does not have`);
    return header;
  }

  #insert(header: Header): Header {
    const bytes = sizeOf(header);
    this.#evict(bytes);
    // A header that is larger than the table empties it.
    if (bytes > this.#maxTableBytes) return header;
    this.#table.unshift(header);
    this.#tableBytes += bytes;
    return header;
  }

  /** Makes room for `bytes` more. */
  #evict(bytes: number): void {
    while (this.#tableBytes + bytes > this.#maxTableBytes) {
      const oldest = this.#table.pop();
      if (oldest === undefined) return;
      this.#tableBytes -= sizeOf(oldest);
    }
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + OVERHEAD_BYTES;
}

/** Reads the integers and strings of a block. */
class BlockReader {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw malformed("the end of the block within a header");
    return byte;
  }

  /** @param bits of its first byte. @see RFC 7541 section 5.1 */
  integer(bits: number): number {
    const most = 2 ** bits - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    // Four bytes are enough for whatever fits into a block.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed("an integer of more than 28 bits");
  }

  string(): string {
    const isHuffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw malformed("the end of the block within a string");
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? decodeHuffman(bytes) : Buffer.from(bytes).toString("latin1");
  }

  #byte(): number {
    const byte = this.peek();
    this.#at++;
    return byte;
  }
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(`the headers have ${what}`, ErrorCode.compressionError);
}
