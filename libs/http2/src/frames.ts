import { ErrorCode, ProtocolError } from "./error-code.ts";

/** @see RFC 9113 section 6 */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** The flags of frames; ACK has the bit of END_STREAM. */
export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** @see RFC 9113 section 6.5.2 */
export const Setting = {
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
} as const;

/** What a client sends first. @see RFC 9113 section 3.4 */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The largest payload of a frame that both sides must take, bytes. */
export const FRAME_BYTES = 16_384;
/** The window of a stream and of a connection before SETTINGS and WINDOW_UPDATE, bytes. */
export const FIRST_WINDOW_BYTES = 65_535;
/** The largest window, bytes. @see RFC 9113 section 6.9.1 */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;

const HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** 0 for the connection. */
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The bytes of a frame's head. */
export function frameHead(type: number, flags: number, streamId: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return head;
}

/** The bytes of a frame with a payload of whole numbers of 32 bits. */
export function frameOf(
  type: number,
  flags: number,
  streamId: number,
  ...numbers: readonly number[]
): Buffer {
  const payload = Buffer.allocUnsafe(4 * numbers.length);
  for (const [at, number] of numbers.entries()) payload.writeUInt32BE(number, 4 * at);
  return Buffer.concat([frameHead(type, flags, streamId, payload.length), payload]);
}

/** The bytes of a SETTINGS frame. */
export function settingsFrame(settings: readonly (readonly [setting: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(6 * settings.length);
  for (const [at, [setting, value]] of settings.entries()) {
    payload.writeUInt16BE(setting, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  }
  return Buffer.concat([frameHead(FrameType.settings, 0, 0, payload.length), payload]);
}

/** Cuts what a connection receives into frames. */
export class FrameReader {
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** So many bytes must be there before the next frame, or its head, is whole. */
  #needed = HEAD_BYTES;

  /**
   * The frames that end in `chunk`. Their payloads are parts of it where possible, and valid as long as it is.
   *
   * @throws ProtocolError FRAME_SIZE_ERROR
   */
  *read(chunk: Buffer): Generator<Frame> {
    if (this.#restBytes + chunk.length < this.#needed) {
      this.#keep(chunk);
      return;
    }
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([...this.#rest, chunk]);
    let at = 0;
    this.#needed = HEAD_BYTES;
    while (at + HEAD_BYTES <= bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_BYTES)
        throw new ProtocolError(`a frame of ${length} bytes`, ErrorCode.frameSizeError);
      const end = at + HEAD_BYTES + length;
      if (end > bytes.length) {
        this.#needed = HEAD_BYTES + length;
        break;
      }
      const payload = bytes.subarray(at + HEAD_BYTES, end);
      const streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      const frame = { type: bytes.readUInt8(at + 3), flags: bytes.readUInt8(at + 4), streamId, payload };
      at = end;
      yield frame;
    }
    this.#rest = [];
    this.#restBytes = 0;
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.push(Buffer.from(bytes));
    this.#restBytes += bytes.length;
  }
}
