import { lstatSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { deadline, delay } from "@daos/sys";
import { faultSocketBusy, faultSocketDirectory } from "./faults.ts";
import { errnoName, type NativeHandle, native, READABLE } from "./native.ts";
import { PacketSocket } from "./packet-socket.ts";

export interface PacketListenerHandlers {
  readonly onSocket: (socket: PacketSocket) => void;
  /** A connection could not be accepted, usually because descriptors ran out. The listener continues. */
  readonly onError: (error: unknown) => void;
}

/** The directory and the group of a socket decide who may use it. Other users never may. */
const MODE = 0o660;
/** The kernel limits it to net.core.somaxconn. */
const BACKLOG = 4096;
const BATCH = 64;
/** How long to wait for another process that starts or stops in the same directory, ms. */
const LOCK_MS = 2_000;
/** How long not to accept after a failure, ms. The pending connection would fail again at once. */
const PAUSE_MS = 100;

/** A listening AF_UNIX SOCK_SEQPACKET socket and its file. */
export class PacketListener {
  readonly path: string;
  readonly #handle: NativeHandle;
  readonly #handlers: PacketListenerHandlers;
  readonly #identity: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(path: string, handle: NativeHandle, handlers: PacketListenerHandlers) {
    this.path = path;
    this.#handle = handle;
    this.#handlers = handlers;
    this.#identity = identityOf(path);
    native.watch(handle, READABLE, this.#onReadable);
  }

  /**
   * Creates the socket file, mode 0660, and listens. The file of a dead server is replaced. The file of a live server
   * is kept, also when two servers start at the same time.
   *
   * @throws Fault drpcSocketBusy, drpcSocketDirectory; the signal's reason
   */
  static async listen(
    path: string,
    handlers: PacketListenerHandlers,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<PacketListener> {
    const directory = dirname(path);
    using limit = deadline(LOCK_MS, `use of ${directory}`, options.signal);
    for (;;) {
      options.signal?.throwIfAborted();
      try {
        return new PacketListener(path, native.listen(path, directory, MODE, BACKLOG), handlers);
      } catch (error) {
        const code = errnoName(error);
        if (code === "EADDRINUSE" || code === "EEXIST") throw faultSocketBusy(path, error);
        if (code !== "EAGAIN" || limit.signal.aborted) throw faultSocketDirectory(path, directory, error);
      }
      await delay(10, limit).catch(() => {});
    }
  }

  /** Stops listening and removes the socket file, if it is still this listener's. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    // The file is removed first: while the socket listens, no other server takes the path.
    if (this.#identity !== undefined && identityOf(this.path) === this.#identity) {
      rmSync(this.path, { force: true });
    }
    native.close(this.#handle);
  }

  readonly #onReadable = (): void => {
    for (let taken = 0; taken < BATCH && !this.#closed; taken++) {
      let socket: PacketSocket;
      try {
        const handle = native.accept(this.#handle);
        if (handle === undefined) return;
        socket = new PacketSocket(handle);
      } catch (error) {
        native.watch(this.#handle, 0, this.#onReadable);
        this.#timer = setTimeout(() => native.watch(this.#handle, READABLE, this.#onReadable), PAUSE_MS);
        this.#handlers.onError(error);
        return;
      }
      this.#handlers.onSocket(socket);
    }
  };
}

function identityOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
