import { deadline, delay } from "@daos/sys";
import { faultConnect, faultMessageTooLong, faultPeerStalled, MAX_PACKET } from "./faults.ts";
import {
  errnoName,
  type NativeHandle,
  native,
  PEER_GONE,
  type PeerCredentials,
  READABLE,
  RECV_END,
  RECV_WOULD_BLOCK,
  WRITABLE,
} from "./native.ts";

/** What a socket tells its owner. */
export interface PacketHandlers {
  /**
   * A packet, in order. `length` is how long it was; when it is more than `packet.length`, the rest is lost. The bytes
   * are the handler's to keep.
   */
  readonly onPacket: (packet: Uint8Array, length: number) => void;
  /** Once, whichever side closed; `error` when it was not a plain close. Nothing follows it. */
  readonly onClose: (error: unknown) => void;
}

export interface SendOptions {
  /** A packet that still waits when this aborts is not sent. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the kernel has taken the packet: it reaches the peer even if this process ends now. */
  readonly onSent?: (() => void) | undefined;
}

interface QueuedPacket extends SendOptions {
  readonly packet: Uint8Array;
}

/** Packets that may wait for a peer which does not read, besides what the kernel holds (about 12 of the largest). */
export const MAX_QUEUED = 256;
/** Packets taken in one go, so that one busy socket does not starve the others. */
const BATCH = 64;
/** How long to knock at a full backlog when the caller sets no limit, ms. */
const CONNECT_MS = 10_000;

/** Shared: what arrives is copied out of it before the next packet. */
const scratch = Buffer.allocUnsafeSlow(MAX_PACKET);

/** One connected AF_UNIX SOCK_SEQPACKET socket: whole packets, in order, none lost, at most {@link MAX_PACKET} bytes each. */
export class PacketSocket {
  /** Who connected, or who listens. */
  readonly peer: PeerCredentials;
  readonly #handle: NativeHandle;
  #handlers: PacketHandlers | undefined;
  readonly #queue: QueuedPacket[] = [];
  #watched = 0;
  #paused = false;
  #closed = false;
  #reason: unknown;

  constructor(handle: NativeHandle) {
    this.#handle = handle;
    this.peer = native.peer(handle);
  }

  /**
   * Connects to a listener. A full backlog is waited for until the signal aborts, or 10 s.
   *
   * @throws Fault drpcConnect; the signal's reason
   */
  static async connect(
    path: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<PacketSocket> {
    using limit =
      options.signal === undefined
        ? deadline(CONNECT_MS, `connect to ${path}`)
        : { signal: options.signal, [Symbol.dispose]() {} };
    for (let pause = 1; ; pause = Math.min(2 * pause, 50)) {
      limit.signal.throwIfAborted();
      try {
        return new PacketSocket(native.connect(path));
      } catch (error) {
        if (errnoName(error) !== "EAGAIN") throw faultConnect(path, error);
      }
      await delay(pause, limit);
    }
  }

  /** Starts reading. Until then the kernel keeps what the peer sends. */
  open(handlers: PacketHandlers): void {
    this.#handlers = handlers;
    this.#watch();
  }

  /**
   * Sends a packet, or queues it behind those that the peer has not read yet. On a closed socket it does nothing:
   * `onClose` has said so.
   *
   * @param what names the packet in a fault
   * @throws Fault drpcMessageTooLong, drpcPeerStalled; nothing has been sent then
   */
  send(packet: Uint8Array, what: string, options: SendOptions = {}): void {
    if (packet.length > MAX_PACKET) throw faultMessageTooLong(what, packet.length);
    if (this.#closed) return;
    if (this.#queue.length >= MAX_QUEUED) throw faultPeerStalled(what, this.#queue.length);
    this.#queue.push({ packet, ...options });
    if (this.#queue.length === 1) this.#flush();
  }

  /** Packets that wait for the peer to read. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Stops reading: the kernel's buffer fills, and the peer has to wait. That the peer goes is noticed all the same. */
  pause(): void {
    this.#paused = true;
    this.#watch();
  }

  resume(): void {
    this.#paused = false;
    this.#watch();
  }

  /** Closes at once; packets that wait are dropped. `onClose` is called. */
  close(): void {
    this.#end(undefined);
  }

  #watch(): void {
    if (this.#closed || this.#handlers === undefined) return;
    const events = PEER_GONE | (this.#paused ? 0 : READABLE) | (this.#queue.length > 0 ? WRITABLE : 0);
    if (events === this.#watched) return;
    this.#watched = events;
    native.watch(this.#handle, events, this.#onEvents);
  }

  readonly #onEvents = (events: number): void => {
    // After an error the addon has stopped watching.
    if (events === 0) this.#watched = 0;
    if (events & WRITABLE) this.#flush();
    if (this.#paused) {
      if (events === 0 || events & PEER_GONE) this.#end(this.#reason);
    } else if (events !== WRITABLE) {
      this.#read();
    }
    this.#watch();
  };

  #read(): void {
    for (let taken = 0; taken < BATCH && !this.#closed && !this.#paused; taken++) {
      const length = this.#receive();
      if (length === RECV_WOULD_BLOCK) return;
      if (length === RECV_END) this.#end(this.#reason);
      else this.#handlers?.onPacket(Uint8Array.prototype.slice.call(scratch, 0, length), length);
    }
  }

  /** Into `scratch`: the length of a packet, RECV_WOULD_BLOCK, or RECV_END with `#reason` set if it was not a plain end. */
  #receive(): number {
    try {
      return native.recv(this.#handle, scratch);
    } catch (error) {
      this.#reason ??= error;
      // A peer that closed without reading everything: its last packets come after this error.
      return errnoName(error) === "ECONNRESET" ? this.#receive() : RECV_END;
    }
  }

  #flush(): void {
    while (!this.#closed) {
      const next = this.#queue[0];
      if (next === undefined) break;
      if (next.signal?.aborted) {
        this.#queue.shift();
        continue;
      }
      try {
        if (!native.send(this.#handle, next.packet)) break;
      } catch (error) {
        this.#onSendFailed(error);
        break;
      }
      this.#queue.shift();
      next.onSent?.();
    }
    this.#watch();
  }

  #onSendFailed(error: unknown): void {
    const code = errnoName(error);
    if (code === "EPIPE" || code === "ECONNRESET") {
      // The peer has gone. What it sent before is still to be read; then comes the end.
      this.#reason ??= error;
      this.#queue.length = 0;
    } else {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    native.close(this.#handle);
    this.#handlers?.onClose(error);
  }
}
