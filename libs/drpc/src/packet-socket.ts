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

/** The callbacks of a socket. */
export interface PacketHandlers {
  /**
   * Gets each packet, in order. `length` is its original length. When it exceeds `packet.length`, the rest is lost. The
   * handler owns the bytes.
   */
  readonly onPacket: (packet: Uint8Array, length: number) => void;
  /** Called once, whichever side closed. `error` is set unless it was an orderly close. No callback follows. */
  readonly onClose: (error: unknown) => void;
}

export interface SendOptions {
  /** A queued packet is dropped when this signal aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the kernel has accepted the packet. It arrives even if this process ends. */
  readonly onSent?: (() => void) | undefined;
}

interface QueuedPacket extends SendOptions {
  readonly packet: Uint8Array;
}

/** How many packets may be queued for a peer that does not read. The kernel holds about 12 more of the largest size. */
export const MAX_QUEUED = 256;
/** How many packets to read at a time, so that a busy socket does not starve the others. */
const BATCH = 64;
/** How long to retry while the backlog is full when the caller sets no limit, ms. */
const CONNECT_MS = 10_000;

/** Shared by all sockets: each packet is copied before the next one is read. */
const scratch = Buffer.allocUnsafeSlow(MAX_PACKET);

/**
 * A connected AF_UNIX SOCK_SEQPACKET socket: whole packets, in order, none lost, at most {@link MAX_PACKET} bytes each.
 */
export class PacketSocket {
  /** The credentials of the peer. */
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
   * Connects to a listener. While the backlog is full it retries, until the signal aborts or for 10 s.
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

  /** Starts reading. Until then the kernel buffers incoming packets. */
  open(handlers: PacketHandlers): void {
    this.#handlers = handlers;
    this.#watch();
  }

  /**
   * Sends a packet, or queues it behind earlier packets. On a closed socket it does nothing, because `onClose` has been
   * called.
   *
   * @param what names the packet in a fault
   * @throws Fault drpcMessageTooLong, drpcPeerStalled; in both cases nothing was sent
   */
  send(packet: Uint8Array, what: string, options: SendOptions = {}): void {
    if (packet.length > MAX_PACKET) throw faultMessageTooLong(what, packet.length);
    if (this.#closed) return;
    if (this.#queue.length >= MAX_QUEUED) throw faultPeerStalled(what, this.#queue.length);
    this.#queue.push({ packet, ...options });
    if (this.#queue.length === 1) this.#flush();
  }

  /** The number of queued packets. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Stops reading. The kernel's buffer fills, and the peer has to wait. A disconnect is still detected. */
  pause(): void {
    this.#paused = true;
    this.#watch();
  }

  resume(): void {
    this.#paused = false;
    this.#watch();
  }

  /** Closes at once, and drops queued packets. `onClose` is called. */
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
    // After an error the addon has stopped polling.
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

  /**
   * Reads into `scratch`. Returns the length of a packet, RECV_WOULD_BLOCK, or RECV_END. RECV_END sets `#reason` unless
   * it was an orderly end.
   */
  #receive(): number {
    try {
      return native.recv(this.#handle, scratch);
    } catch (error) {
      this.#reason ??= error;
      // The peer closed without reading everything. Its last packets follow this error.
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
      // The peer has disconnected. Its remaining packets are read first; then the end is reported.
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
