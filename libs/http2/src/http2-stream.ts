import { Duplex } from "node:stream";
import { ErrorCode } from "./error-code.ts";
import type { Header } from "./hpack-table.ts";
import { isInterim, toIncomingHeaders } from "./incoming-headers.ts";

/** So many bytes of a stream may wait for its reader. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;

/** Called when the kernel has taken a frame, or when it cannot be sent any more. */
export type SentListener = (error?: Error | null) => void;

/** What a stream needs of its connection. */
export interface StreamConnection {
  /** How much may be sent as one frame of the stream now, bytes. */
  sendable(stream: ConnectionStream): number;
  sendData(stream: ConnectionStream, bytes: Uint8Array, isLast: boolean, onSent?: SentListener): void;
  sendReset(stream: ConnectionStream, code: number): void;
  /** Allows the peer to send so many bytes more. */
  sendWindowUpdate(stream: ConnectionStream, bytes: number): void;
  /** The stream is over on both sides, or left by this one. */
  remove(stream: ConnectionStream): void;
}

/** What a connection needs of its streams. A stream gets nothing more after it was removed. */
export interface ConnectionStream {
  /** Undefined until the request is sent: the peer limits how many are under way. */
  id: number | undefined;
  /** What the peer takes of this stream, bytes; less than zero after its SETTINGS have made the window smaller. */
  sendWindow: number;
  /** Sends what waits, as far as the windows allow; called when one has grown, and when the request was sent. */
  flush(): void;
  /** Takes a block of headers: those of the answer, then its trailers. */
  receiveHeaders(list: readonly Header[], isLast: boolean): void;
  /** @param bytes which the stream may keep @param frameBytes of the frame, with its padding */
  receiveData(bytes: Buffer, frameBytes: number, isLast: boolean): void;
  /** The peer has ended it with RST_STREAM. */
  receiveReset(code: number): void;
  /** The connection is lost. */
  lose(error: Error): void;
}

/** A chunk of which something is still to be sent. */
interface Unsent {
  readonly bytes: Uint8Array;
  /** Of the chunk. */
  readonly length: number;
  readonly callback: (error?: Error | null) => void;
}

/**
 * One request and its answer. It has those parts of a stream of `node:http2` that Connect uses: it is written and read as a
 * Duplex; `response` and `trailers` bring the headers; `close` comes last, and {@link rstCode} says how it has ended.
 */
export class Http2Stream extends Duplex implements ConnectionStream {
  id: number | undefined;
  /** The code of the RST_STREAM that has ended it; CANCEL when the connection was lost. */
  rstCode: number = ErrorCode.noError;
  sendWindow = 0;
  readonly #connection: StreamConnection;
  #unsent: Unsent | undefined;
  #onFinal: (() => void) | undefined;
  /** `end()` was called with the bytes that come next. */
  #isEnding = false;
  #hasSentEnd = false;
  #hasResponse = false;
  #hasReceivedEnd = false;
  #isReset = false;
  /** For the RST_STREAM of this side. */
  #resetCode: number = ErrorCode.cancel;
  /** Received bytes that the peer may not yet send again. */
  #uncredited = 0;

  constructor(connection: StreamConnection) {
    super();
    this.#connection = connection;
  }

  /** Ends it in both directions, with RST_STREAM if it is under way. */
  close(code: number = ErrorCode.noError, onClose?: () => void): void {
    if (onClose !== undefined) {
      if (this.closed) process.nextTick(onClose);
      else this.once("close", onClose);
    }
    if (!this.destroyed) this.#resetCode = code;
    this.destroy();
  }

  override end(onFinish?: () => void): this;
  override end(chunk: unknown, onFinish?: () => void): this;
  override end(chunk: unknown, encoding?: BufferEncoding, onFinish?: () => void): this;
  override end(...given: readonly unknown[]): this {
    // A chunk without bytes has no frame of its own.
    this.#isEnding = given[0] instanceof Uint8Array && given[0].length > 0;
    return Reflect.apply(super.end, this, given) as this;
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#unsent = { bytes: chunk, length: chunk.length, callback };
    this.flush();
  }

  override _final(callback: () => void): void {
    this.#onFinal = callback;
    this.flush();
  }

  override _read(): void {
    this.#credit();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const isOver = this.#isReset || (this.#hasSentEnd && this.#hasReceivedEnd);
    if (!isOver) this.rstCode = this.#resetCode;
    if (!isOver && this.id !== undefined) this.#connection.sendReset(this, this.rstCode);
    this.#connection.remove(this);
    callback(error);
    const unsent = this.#unsent;
    this.#unsent = undefined;
    // After the events: they say why it has ended.
    if (unsent !== undefined) process.nextTick(unsent.callback, error ?? abandoned());
  }

  flush(): void {
    if (this.id === undefined) return;
    while (this.#unsent !== undefined) {
      const { bytes, length, callback } = this.#unsent;
      if (this.#isReset) {
        this.#unsent = undefined;
        callback();
        return;
      }
      const size = Math.min(bytes.length, this.#connection.sendable(this));
      if (size === 0 && bytes.length > 0) return;
      const isWhole = size === bytes.length;
      const isLast = isWhole && this.#isEnding && this.writableLength <= length;
      this.#unsent = isWhole ? undefined : { bytes: bytes.subarray(size), length, callback };
      // A connection that is lost after the whole answer is no error.
      const onSent = isWhole
        ? (error?: Error | null) => callback(this.#hasReceivedEnd ? null : error)
        : () => {};
      this.#connection.sendData(this, bytes.subarray(0, size), isLast, onSent);
      if (isLast) this.#sentEnd();
    }
    if (this.#onFinal === undefined) return;
    const onFinal = this.#onFinal;
    this.#onFinal = undefined;
    if (!this.#hasSentEnd && !this.#isReset) {
      this.#connection.sendData(this, EMPTY, true, () => {});
      this.#sentEnd();
    }
    onFinal();
  }

  receiveHeaders(list: readonly Header[], isLast: boolean): void {
    if (this.destroyed) return;
    const headers = toIncomingHeaders(list, !this.#hasResponse);
    if (headers === undefined || this.#hasReceivedEnd || (this.#hasResponse && !isLast)) {
      this.close(ErrorCode.protocolError);
      return;
    }
    if (!this.#hasResponse && !isLast && isInterim(headers)) return;
    this.emit(this.#hasResponse ? "trailers" : "response", headers);
    this.#hasResponse = true;
    if (isLast) this.#receiveEnd();
  }

  receiveData(bytes: Buffer, frameBytes: number, isLast: boolean): void {
    if (this.destroyed) return;
    this.#uncredited += frameBytes;
    if (!this.#hasResponse || this.#hasReceivedEnd || this.#uncredited > STREAM_WINDOW_BYTES) {
      this.close(this.#hasResponse ? ErrorCode.flowControlError : ErrorCode.protocolError);
      return;
    }
    const isWanted = bytes.length === 0 ? this.readableLength < this.readableHighWaterMark : this.push(bytes);
    if (isWanted) this.#credit();
    if (isLast) this.#receiveEnd();
  }

  receiveReset(code: number): void {
    this.rstCode = code;
    this.#isReset = true;
    if (this.#hasReceivedEnd) this.#stopSending();
    else if (code === ErrorCode.cancel) this.destroy();
    else this.destroy(streamError(code, this.#hasResponse));
  }

  lose(error: Error): void {
    this.#isReset = true;
    if (this.#hasReceivedEnd) {
      this.#stopSending();
      return;
    }
    this.rstCode = ErrorCode.cancel;
    this.destroy(error);
  }

  /** A server may answer before it has read all. The answer counts, and what is still to be sent is not needed. */
  #stopSending(): void {
    this.flush();
    this.end();
  }

  #receiveEnd(): void {
    this.#hasReceivedEnd = true;
    this.push(null);
    this.#removeIfOver();
  }

  #sentEnd(): void {
    this.#hasSentEnd = true;
    this.#removeIfOver();
  }

  /** The peer no longer counts it, also when the answer is still to be read. */
  #removeIfOver(): void {
    if (this.#hasSentEnd && this.#hasReceivedEnd) this.#connection.remove(this);
  }

  /** Gives the bytes that were read back to the peer, half a window at a time. */
  #credit(): void {
    if (this.#uncredited < STREAM_WINDOW_BYTES / 2 || this.#hasReceivedEnd || this.#isReset) return;
    this.#connection.sendWindowUpdate(this, this.#uncredited);
    this.#uncredited = 0;
  }
}

const EMPTY = new Uint8Array();

function abandoned(): Error {
  return Object.assign(new Error("the stream was closed"), { code: "ERR_STREAM_DESTROYED" });
}

/** @param hasResponse the server has begun to answer */
export function streamError(code: number, hasResponse: boolean): Error {
  // The server has not processed the request in any way. @see RFC 9113 section 8.7
  if (code === ErrorCode.refusedStream && !hasResponse) {
    return Object.assign(new Error("the server did not take the request"), {
      code: "ERR_HTTP2_STREAM_REFUSED",
    });
  }
  return Object.assign(new Error(`the server has reset the stream with the error code ${code}`), {
    code: "ERR_HTTP2_STREAM_ERROR",
  });
}
