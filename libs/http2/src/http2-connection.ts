import type { Socket } from "node:net";
import { ErrorCode, ProtocolError } from "./error-code.ts";
import {
  FIRST_WINDOW_BYTES,
  Flag,
  FRAME_BYTES,
  type Frame,
  FrameReader,
  FrameType,
  frameHead,
  frameOf,
  MAX_WINDOW_BYTES,
  PREFACE,
  Setting,
  settingsFrame,
} from "./frames.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeHeaders } from "./hpack-encode.ts";
import {
  type ConnectionStream,
  Http2Stream,
  type SentListener,
  STREAM_WINDOW_BYTES,
  type StreamConnection,
} from "./http2-stream.ts";
import type { Received } from "./read-answer.ts";
import { UnaryStream } from "./unary-stream.ts";

/** The window of the connection is no limit: those of the streams are. Half of it is given back at a time. */
const CONNECTION_WINDOW_BYTES = 2 ** 30;
/** The numbers of streams end here, and another connection goes on. */
const MAX_STREAM_ID = 2 ** 31 - 1;
/** A block of headers in one HEADERS frame and its CONTINUATIONs, bytes. */
const MAX_BLOCK_BYTES = 64 * 1024;
/** A peer that sends requests for answers, such as PING, and does not read them, is left, bytes. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** What a client sends first. */
const GREETING = Buffer.concat([
  PREFACE,
  settingsFrame([
    [Setting.enablePush, 0],
    [Setting.initialWindowSize, STREAM_WINDOW_BYTES],
  ]),
  frameOf(FrameType.windowUpdate, 0, 0, CONNECTION_WINDOW_BYTES - FIRST_WINDOW_BYTES),
]);

/** What happens to a connection. */
export interface ConnectionEvents {
  /** The peer's first SETTINGS are here: it speaks HTTP/2, and requests can be sent. */
  readonly onReady: () => void;
  /** The peer takes no more requests. Those under way may still end. */
  readonly onGoaway: () => void;
  /** It is over, and all its streams are. @param error why; undefined when this side or the peer has just closed it */
  readonly onClose: (error: Error | undefined) => void;
}

/**
 * The client's side of one HTTP/2 connection. Requests are multiplexed, the windows of both sides are respected, the server must
 * not push. Whatever the peer sends, the connection ends with an error at worst. It owns the socket.
 *
 * @see RFC 9113
 */
export class Http2Connection implements StreamConnection {
  readonly #socket: Socket;
  /** `:scheme` and `:authority`, encoded. */
  readonly #origin: Buffer;
  readonly #events: ConnectionEvents;
  readonly #reader = new FrameReader();
  readonly #decoder = new HpackDecoder();
  readonly #streams = new Map<number, ConnectionStream>();
  /** Requests above the peer's limit, oldest first. */
  readonly #waiting = new Map<ConnectionStream, Buffer>();
  #nextId = 1;
  #isReady = false;
  #isGoingAway = false;
  #isDestroyed = false;
  /** The transport is there, and the greeting is the first of the frames. */
  #isConnected = false;
  /** Frames that leave together, and who waits for that. */
  #unsent: Uint8Array[] = [];
  #onSent: SentListener[] = [];
  #sending: NodeJS.Immediate | undefined;
  #sendWindow = FIRST_WINDOW_BYTES;
  #uncredited = 0;
  #peerWindow = FIRST_WINDOW_BYTES;
  #peerFrameBytes = FRAME_BYTES;
  #maxStreams = Number.POSITIVE_INFINITY;
  /** A block of headers whose end has not arrived. */
  #block: { readonly streamId: number; readonly isLast: boolean; parts: Buffer[]; bytes: number } | undefined;

  /** @param url of the server, for `:scheme` and `:authority` */
  constructor(socket: Socket, url: URL, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#origin = encodeHeaders([
      [":scheme", url.protocol.slice(0, -1)],
      [":authority", url.host],
    ]);
    // With TLS 1.3 a server refuses the client's certificate after the handshake: an error of the socket, later.
    socket.on("error", (error) => this.destroy(error));
    socket.once("close", () => this.destroy());
    socket.once("end", () => this.destroy());
    // Not earlier: a write that fails with the handshake would hide the alert of the server.
    socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
      this.#isConnected = true;
      this.#unsent.unshift(GREETING);
      this.#flush();
    });
  }

  /**
   * Sends a request, or keeps it until the peer takes one more.
   *
   * @param headers encoded by {@link encodeHeaders}, with `:method` and `:path` first
   */
  request(headers: Buffer): Http2Stream {
    const stream = new Http2Stream(this);
    this.#open(stream, headers);
    return stream;
  }

  /** Makes a unary call of gRPC. @see request @see UnaryStream */
  unary(headers: Buffer, message: Uint8Array, onOver: (outcome: Received | Error) => void): UnaryStream {
    const stream = new UnaryStream(this, message, onOver);
    this.#open(stream, headers);
    return stream;
  }

  /** Ends the connection, and its streams with `error`. */
  destroy(error?: Error): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (error instanceof ProtocolError) this.#send(frameOf(FrameType.goaway, 0, 0, 0, error.errorCode));
    this.#flush();
    this.#socket.destroy();
    const streams = [...this.#streams.values(), ...this.#waiting.keys()];
    // An error has a stack, which takes as long as the rest.
    if (streams.length > 0) {
      const reason = error ?? lost();
      for (const stream of streams) stream.lose(reason);
    }
    this.#events.onClose(error);
  }

  sendable({ sendWindow }: ConnectionStream): number {
    return Math.max(0, Math.min(this.#sendWindow, sendWindow, this.#peerFrameBytes));
  }

  sendData(stream: ConnectionStream, bytes: Uint8Array, isLast: boolean, onSent?: SentListener): void {
    this.#sendWindow -= bytes.length;
    stream.sendWindow -= bytes.length;
    if (onSent !== undefined) this.#onSent.push(onSent);
    this.#send(frameHead(FrameType.data, isLast ? Flag.endStream : 0, stream.id ?? 0, bytes.length), bytes);
  }

  sendReset({ id = 0 }: ConnectionStream, code: number): void {
    if (!this.#isDestroyed) this.#send(frameOf(FrameType.rstStream, 0, id, code));
  }

  sendWindowUpdate({ id = 0 }: ConnectionStream, bytes: number): void {
    if (!this.#isDestroyed) this.#send(frameOf(FrameType.windowUpdate, 0, id, bytes));
  }

  remove(stream: ConnectionStream): void {
    this.#waiting.delete(stream);
    if (stream.id === undefined || !this.#streams.delete(stream.id) || this.#isDestroyed) return;
    this.#startWaiting();
    if (this.#isGoingAway && this.#streams.size === 0) this.destroy();
  }

  #open(stream: ConnectionStream, headers: Buffer): void {
    const block = Buffer.concat([this.#origin, headers]);
    if (this.#isDestroyed || this.#isGoingAway) stream.lose(lost());
    else if (this.#streams.size < this.#maxStreams) this.#start(stream, block);
    else this.#waiting.set(stream, block);
  }

  #start(stream: ConnectionStream, block: Buffer): void {
    const id = this.#nextId;
    this.#nextId += 2;
    stream.id = id;
    stream.sendWindow = this.#peerWindow;
    this.#streams.set(id, stream);
    for (let at = 0; at === 0 || at < block.length; at += FRAME_BYTES) {
      const part = block.subarray(at, at + FRAME_BYTES);
      const flags = at + FRAME_BYTES < block.length ? 0 : Flag.endHeaders;
      const type = at === 0 ? FrameType.headers : FrameType.continuation;
      this.#send(frameHead(type, flags, id, part.length), part);
    }
    stream.flush();
    if (this.#nextId > MAX_STREAM_ID) this.#goAway();
  }

  /** No more requests are sent: those that wait are refused. */
  #goAway(): void {
    this.#isGoingAway = true;
    this.#events.onGoaway();
    for (const stream of [...this.#waiting.keys()]) stream.receiveReset(ErrorCode.refusedStream);
  }

  #startWaiting(): void {
    for (const [stream, block] of this.#waiting) {
      if (this.#streams.size >= this.#maxStreams || this.#isDestroyed) return;
      this.#waiting.delete(stream);
      this.#start(stream, block);
    }
  }

  /**
   * Sends a frame. Frames of one turn of the event loop leave in one write: those that answer the peer, and the requests that its
   * frames have allowed.
   */
  #send(...frame: readonly Uint8Array[]): void {
    this.#unsent.push(...frame);
    this.#sending ??= setImmediate(() => this.#flush());
  }

  /** Before there is a connection, the frames wait for it. */
  #flush(): void {
    clearImmediate(this.#sending);
    this.#sending = undefined;
    if (!this.#isConnected && !this.#isDestroyed) return;
    const [frames, listeners] = [this.#unsent, this.#onSent];
    if (frames.length === 0) return;
    this.#unsent = [];
    this.#onSent = [];
    this.#socket.write(Buffer.concat(frames), (error) => {
      for (const listener of listeners) listener(error);
    });
  }

  /** Sends what the peer has asked for. @throws ProtocolError when it does not read its answers */
  #answer(frame: Buffer): void {
    if (this.#socket.writableLength > MAX_UNREAD_BYTES)
      throw new ProtocolError("the peer does not read its answers", ErrorCode.enhanceYourCalm);
    this.#send(frame);
  }

  /** Takes what the socket has received. @param chunk may be overwritten afterwards */
  receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) {
        if (this.#isDestroyed) return;
        this.#handle(frame);
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #handle(frame: Frame): void {
    if (!this.#isReady && (frame.type !== FrameType.settings || (frame.flags & Flag.ack) !== 0))
      throw new ProtocolError("the first frame is not SETTINGS");
    if (this.#block !== undefined && frame.type !== FrameType.continuation)
      throw new ProtocolError("another frame within headers");
    switch (frame.type) {
      case FrameType.data:
        this.#onData(frame);
        break;
      case FrameType.headers:
        this.#onHeaders(frame);
        break;
      case FrameType.continuation:
        this.#onContinuation(frame);
        break;
      case FrameType.rstStream:
        this.#onRstStream(frame);
        break;
      case FrameType.settings:
        this.#onSettings(frame);
        break;
      case FrameType.ping:
        this.#onPing(frame);
        break;
      case FrameType.goaway:
        this.#onGoaway(frame);
        break;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(frame);
        break;
      case FrameType.pushPromise:
        throw new ProtocolError("a push, which was not allowed");
      default:
      // PRIORITY, and types that are not known, mean nothing to a client.
    }
  }

  #onData({ flags, streamId, payload }: Frame): void {
    const stream = this.#streamOf(streamId);
    this.#uncredited += payload.length;
    if (this.#uncredited > CONNECTION_WINDOW_BYTES / 2) {
      this.#answer(frameOf(FrameType.windowUpdate, 0, 0, this.#uncredited));
      this.#uncredited = 0;
    }
    const bytes = Buffer.from(withoutPadding(payload, flags));
    stream?.receiveData(bytes, payload.length, (flags & Flag.endStream) !== 0);
  }

  #onHeaders({ flags, streamId, payload }: Frame): void {
    this.#streamOf(streamId);
    const content = withoutPadding(payload, flags);
    const skipped = (flags & Flag.priority) === 0 ? 0 : 5;
    if (content.length < skipped) throw tooShort("HEADERS");
    this.#block = { streamId, isLast: (flags & Flag.endStream) !== 0, parts: [], bytes: 0 };
    this.#takeBlock(content.subarray(skipped), flags);
  }

  #onContinuation({ flags, streamId, payload }: Frame): void {
    if (this.#block?.streamId !== streamId) throw new ProtocolError("CONTINUATION without HEADERS");
    this.#takeBlock(payload, flags);
  }

  #takeBlock(part: Buffer, flags: number): void {
    const block = this.#block;
    if (block === undefined) return;
    const isWhole = (flags & Flag.endHeaders) !== 0;
    block.parts.push(isWhole ? part : Buffer.from(part));
    // An empty part counts too: there is no end to those.
    block.bytes += part.length + 1;
    if (block.bytes > MAX_BLOCK_BYTES)
      throw new ProtocolError("headers of more than 64 KiB", ErrorCode.enhanceYourCalm);
    if (!isWhole) return;
    this.#block = undefined;
    // Also for a stream that is gone: the table of headers is that of the connection.
    const headers = this.#decoder.decode(Buffer.concat(block.parts));
    this.#streams.get(block.streamId)?.receiveHeaders(headers, block.isLast);
  }

  #onRstStream({ streamId, payload }: Frame): void {
    if (payload.length !== 4) throw wrongSize("RST_STREAM");
    this.#streamOf(streamId)?.receiveReset(payload.readUInt32BE(0));
  }

  #onSettings({ flags, streamId, payload }: Frame): void {
    const isAck = (flags & Flag.ack) !== 0;
    if (streamId !== 0) throw new ProtocolError("SETTINGS of a stream");
    if (isAck ? payload.length > 0 : payload.length % 6 > 0) throw wrongSize("SETTINGS");
    if (isAck) return;
    for (let at = 0; at < payload.length; at += 6)
      this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.#answer(frameHead(FrameType.settings, Flag.ack, 0, 0));
    this.#startWaiting();
    this.#flushAll();
    if (this.#isReady) return;
    this.#isReady = true;
    this.#events.onReady();
  }

  #set(setting: number, value: number): void {
    if (setting === Setting.maxConcurrentStreams) this.#maxStreams = value;
    if (setting === Setting.maxFrameSize) {
      if (value < FRAME_BYTES || value > 2 ** 24 - 1) throw new ProtocolError(`frames of ${value} bytes`);
      this.#peerFrameBytes = value;
    }
    if (setting !== Setting.initialWindowSize) return;
    if (value > MAX_WINDOW_BYTES) throw windowOverflow();
    for (const stream of this.#streams.values()) {
      stream.sendWindow += value - this.#peerWindow;
      if (stream.sendWindow > MAX_WINDOW_BYTES) throw windowOverflow();
    }
    this.#peerWindow = value;
  }

  #onPing({ flags, streamId, payload }: Frame): void {
    if (payload.length !== 8) throw wrongSize("PING");
    if (streamId !== 0) throw new ProtocolError("PING of a stream");
    if ((flags & Flag.ack) !== 0) return;
    this.#answer(Buffer.concat([frameHead(FrameType.ping, Flag.ack, 0, 8), payload]));
  }

  #onGoaway({ streamId, payload }: Frame): void {
    if (streamId !== 0 || payload.length < 8) throw wrongSize("GOAWAY");
    const lastId = payload.readUInt32BE(0) & MAX_WINDOW_BYTES;
    const code = payload.readUInt32BE(4);
    if (code !== ErrorCode.noError) {
      this.destroy(closedWith(code));
      return;
    }
    this.#goAway();
    const refused = [...this.#streams.values()].filter(({ id = 0 }) => id > lastId);
    for (const stream of refused) stream.receiveReset(ErrorCode.refusedStream);
    if (this.#streams.size === 0) this.destroy();
  }

  #onWindowUpdate({ streamId, payload }: Frame): void {
    if (payload.length !== 4) throw wrongSize("WINDOW_UPDATE");
    const bytes = payload.readUInt32BE(0) & MAX_WINDOW_BYTES;
    if (bytes === 0) throw new ProtocolError("WINDOW_UPDATE of 0 bytes");
    if (streamId === 0) {
      this.#sendWindow += bytes;
      if (this.#sendWindow > MAX_WINDOW_BYTES) throw windowOverflow();
      this.#flushAll();
      return;
    }
    const stream = this.#streamOf(streamId);
    if (stream === undefined) return;
    stream.sendWindow += bytes;
    if (stream.sendWindow > MAX_WINDOW_BYTES) throw windowOverflow();
    stream.flush();
  }

  #flushAll(): void {
    for (const stream of [...this.#streams.values()]) stream.flush();
  }

  /** @returns undefined for a stream that is over. @throws ProtocolError for one that never was */
  #streamOf(id: number): ConnectionStream | undefined {
    if (id % 2 === 0 || id >= this.#nextId) throw new ProtocolError(`the stream ${id}, which was not opened`);
    return this.#streams.get(id);
  }
}

function withoutPadding(payload: Buffer, flags: number): Buffer {
  if ((flags & Flag.padded) === 0) return payload;
  const [padding] = payload;
  if (padding === undefined || padding >= payload.length) throw new ProtocolError("padding beyond the frame");
  return payload.subarray(1, payload.length - padding);
}

function tooShort(frame: string): ProtocolError {
  return new ProtocolError(`${frame} is too short`, ErrorCode.frameSizeError);
}

function wrongSize(frame: string): ProtocolError {
  return new ProtocolError(`${frame} has the wrong size`, ErrorCode.frameSizeError);
}

function windowOverflow(): ProtocolError {
  return new ProtocolError("a window of more than 2 GiB", ErrorCode.flowControlError);
}

function closedWith(code: number): Error {
  return Object.assign(new Error(`the server has closed the connection with the error code ${code}`), {
    code: "ERR_HTTP2_SESSION_ERROR",
  });
}

function lost(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
}
