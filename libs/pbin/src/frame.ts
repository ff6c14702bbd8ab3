import { faultMalformed } from "./faults.ts";

/** The maximum body of a frame, in bytes. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const HEADER_BYTES = 4;

/**
 * Encodes one message: the length of the body in bytes as a big-endian 32-bit number, then the body, JSON in UTF-8. A
 * bigint becomes a string of digits.
 *
 * @throws Fault helperMalformed when the body is longer than {@link MAX_FRAME_BYTES}
 */
export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message, bigintAsDigits), "utf8");
  if (body.length > MAX_FRAME_BYTES) {
    throw faultMalformed(`a message of ${body.length} bytes, which is more than ${MAX_FRAME_BYTES}`);
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

/** Assembles one frame from chunks of any size. The body is in memory once and never exceeds the announced length. */
export class FrameDecoder {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerLength = 0;
  #body: Buffer | undefined;
  #bodyLength = 0;

  /** True when the frame is complete. */
  get complete(): boolean {
    return this.#body !== undefined && this.#bodyLength === this.#body.length;
  }

  /** True before the first byte. */
  get empty(): boolean {
    return this.#headerLength === 0;
  }

  /**
   * Consumes the bytes that belong to the frame and returns their number.
   *
   * @throws Fault helperMalformed when the announced length is 0 or above {@link MAX_FRAME_BYTES}
   */
  push(chunk: Buffer): number {
    let used = 0;
    if (this.#body === undefined) {
      used = chunk.copy(this.#header, this.#headerLength);
      this.#headerLength += used;
      if (this.#headerLength < HEADER_BYTES) return used;
      const length = this.#header.readUInt32BE(0);
      if (length === 0 || length > MAX_FRAME_BYTES) {
        throw faultMalformed(`a message of ${length} bytes, where 1 to ${MAX_FRAME_BYTES} are possible`);
      }
      this.#body = Buffer.allocUnsafe(length);
    }
    const copied = chunk.copy(this.#body, this.#bodyLength, used);
    this.#bodyLength += copied;
    return used + copied;
  }

  /**
   * Decodes the message of a complete frame.
   *
   * @throws Fault helperMalformed when it is not JSON in UTF-8; Error when the frame is not {@link complete}
   */
  decode(): unknown {
    if (this.#body === undefined || !this.complete) throw new Error("the frame is not complete");
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#body));
    } catch (error) {
      throw faultMalformed("a message that is not JSON in UTF-8", error);
    }
  }
}

function bigintAsDigits(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
