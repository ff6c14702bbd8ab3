import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorCode } from "./error-code.ts";
import type { Header } from "./hpack-table.ts";
import {
  type ConnectionStream,
  STREAM_WINDOW_BYTES,
  type StreamConnection,
  streamError,
} from "./http2-stream.ts";
import { type IncomingHeaders, isInterim, toIncomingHeaders } from "./incoming-headers.ts";
import { isGrpc, MAX_ANSWER_BYTES, PREFIX_BYTES, type Received } from "./read-answer.ts";

/**
 * The stream of a unary call of gRPC: one message, then an answer of headers, one message and trailers, or of headers alone. An
 * {@link Http2Stream} can do the same. As a Duplex with events, it takes more time and memory than the rest of a call.
 */
export class UnaryStream implements ConnectionStream {
  id: number | undefined;
  sendWindow = 0;
  readonly #connection: StreamConnection;
  readonly #onOver: (outcome: Received | Error) => void;
  /** What is still to be sent. */
  #unsent: Uint8Array;
  #isOver = false;
  #headers: IncomingHeaders | undefined;
  #trailers: IncomingHeaders = {};
  /** What was received, in a buffer that may be larger. */
  #body: Buffer = EMPTY;
  #receivedBytes = 0;
  /** The size of the message, from its prefix. */
  #announcedBytes: number | undefined;
  /** Received bytes that the peer may not yet send again. */
  #uncredited = 0;

  /**
   * @param message with its prefix
   * @param onOver gets the answer, or the error that has ended the call; called once, but not after {@link close}
   */
  constructor(
    connection: StreamConnection,
    message: Uint8Array,
    onOver: (outcome: Received | Error) => void,
  ) {
    this.#connection = connection;
    this.#unsent = message;
    this.#onOver = onOver;
  }

  /** Ends the call with RST_STREAM if it is under way. */
  close(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.id !== undefined) this.#connection.sendReset(this, code);
    this.#connection.remove(this);
  }

  flush(): void {
    while (this.#unsent.length > 0) {
      const size = Math.min(this.#unsent.length, this.#connection.sendable(this));
      if (size === 0) return;
      const bytes = this.#unsent.subarray(0, size);
      this.#unsent = this.#unsent.subarray(size);
      this.#connection.sendData(this, bytes, this.#unsent.length === 0);
    }
  }

  receiveHeaders(list: readonly Header[], isLast: boolean): void {
    const isResponse = this.#headers === undefined;
    const headers = toIncomingHeaders(list, isResponse);
    if (headers === undefined || (!isResponse && !isLast)) {
      this.#fail(closedEarly(ErrorCode.protocolError), ErrorCode.protocolError);
      return;
    }
    if (isResponse && !isLast && isInterim(headers)) return;
    if (isResponse) this.#headers = headers;
    else this.#trailers = headers;
    if (isLast) this.#end(true);
  }

  receiveData(bytes: Buffer, frameBytes: number, isLast: boolean): void {
    if (this.#headers === undefined) {
      this.#fail(closedEarly(ErrorCode.protocolError), ErrorCode.protocolError);
      return;
    }
    // The page of a proxy is no message: its first bytes are no length.
    if (this.#receivedBytes === 0 && !isGrpc(this.#headers)) {
      this.#end(isLast);
      return;
    }
    this.#append(bytes);
    if (this.#announcedBytes === undefined && this.#receivedBytes >= PREFIX_BYTES)
      this.#announcedBytes = this.#body.readUInt32BE(1);
    const { code, text } = this.#excess() ?? {};
    if (code !== undefined) this.#fail(new ConnectError(text ?? "", code), ErrorCode.cancel);
    else if (isLast) this.#end(true);
    else this.#credit(frameBytes);
  }

  receiveReset(code: number): void {
    this.#fail(
      code === ErrorCode.cancel ? closedEarly(code) : streamError(code, this.#headers !== undefined),
    );
  }

  lose(error: Error): void {
    this.#fail(error);
  }

  /** Frames that are empty or small take no more memory than their bytes. */
  #append(bytes: Buffer): void {
    const end = this.#receivedBytes + bytes.length;
    // Most answers have one frame of data: it is not copied.
    if (this.#receivedBytes === 0) this.#body = bytes;
    else {
      if (end > this.#body.length) {
        const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#body.length));
        this.#body.copy(larger);
        this.#body = larger;
      }
      bytes.copy(this.#body, this.#receivedBytes);
    }
    this.#receivedBytes = end;
  }

  /** What the answer has that it must not have. */
  #excess(): { readonly code: Code; readonly text: string } | undefined {
    const announced = this.#announcedBytes ?? 0;
    if (announced > MAX_ANSWER_BYTES) {
      const text = `the answer has ${announced} bytes, and the limit is ${MAX_ANSWER_BYTES}`;
      return { code: Code.ResourceExhausted, text };
    }
    if (this.#announcedBytes === undefined || this.#receivedBytes <= PREFIX_BYTES + announced)
      return undefined;
    return {
      code: Code.Unimplemented,
      text: "protocol error: received extra output message for unary method",
    };
  }

  /** Gives the received bytes back to the peer, half a window at a time. */
  #credit(bytes: number): void {
    this.#uncredited += bytes;
    if (this.#uncredited < STREAM_WINDOW_BYTES / 2) return;
    this.#connection.sendWindowUpdate(this, this.#uncredited);
    this.#uncredited = 0;
  }

  #end(isLast: boolean): void {
    const [headers, trailers] = [this.#headers ?? {}, this.#trailers];
    // A server may answer before it has read all, and with more than is read.
    if (!isLast) this.close(ErrorCode.cancel);
    else if (this.#unsent.length > 0) this.close(ErrorCode.noError);
    else this.#leave();
    this.#onOver({ headers, trailers, body: this.#body.subarray(0, this.#receivedBytes) });
  }

  /** @param resetCode for the RST_STREAM of this side; none when the peer has ended the stream */
  #fail(error: Error, resetCode?: number): void {
    if (this.#isOver) return;
    if (resetCode === undefined) this.#leave();
    else this.close(resetCode);
    this.#onOver(error);
  }

  #leave(): void {
    this.#isOver = true;
    this.#connection.remove(this);
  }
}

const EMPTY = Buffer.alloc(0);

/** @see gRPC over HTTP/2, "Errors"; the other codes of a server come as an error of the stream */
function closedEarly(rstCode: number): ConnectError {
  const text = `http/2 stream closed with error code 0x${rstCode.toString(16)}`;
  return new ConnectError(text, rstCode === ErrorCode.cancel ? Code.Canceled : Code.Internal);
}
