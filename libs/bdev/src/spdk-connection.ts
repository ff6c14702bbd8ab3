import { createConnection, type Socket } from "node:net";
import { abortable, deadline } from "@daos/sys";
import { JsonStream } from "./json-stream.ts";

/** A call that an SPDK target refused, with its JSON-RPC error code; `-19` is ENODEV. */
export class SpdkError extends Error {
  override readonly name = "SpdkError";
  readonly code: number;

  constructor(method: string, code: number, message: string) {
    super(`${method}: ${message} (${code})`);
    this.code = code;
  }
}

/** The connection ended while calls were under way: the target exited or closed the connection. */
export class SpdkConnectionLost extends Error {
  override readonly name = "SpdkConnectionLost";
}

export interface SpdkCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Timeout of the call, ms; 30,000 by default. */
  readonly timeoutMs?: number;
  /**
   * The object of the call, such as a controller's name. Calls with the same lane run one after the other; so do calls
   * without a lane.
   */
  readonly lane?: string;
}

interface Pending {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * JSON-RPC 2.0 calls to an SPDK target, all on one connection, which is opened by the first call and again after it was
 * lost. The target has 64 connections for all clients. It keeps a connection while a call is under way, even if the client
 * is gone. So a call whose caller gave up stays under way, and the next call in its lane waits for its end.
 *
 * @see SPDK doc/jsonrpc.md, lib/jsonrpc/jsonrpc_server_tcp.c
 */
export class SpdkConnection {
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  /** The end of the last call of each lane. */
  readonly #lanes = new Map<string, Promise<void>>();
  #socket: Socket | undefined;
  #lastId = 0;
  /** The number of callers that wait. When it is 0, an open connection does not keep the process alive. */
  #awaited = 0;

  /** @param path the target's socket, `/var/tmp/spdk.sock` by default of SPDK */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Calls a method. Empty parameters are not sent: a method without parameters refuses even an empty object.
   *
   * @throws SpdkError when the target refuses; Error with `code` ENOENT, ECONNREFUSED or EACCES when it cannot be reached;
   *   SpdkConnectionLost; an Error when it does not answer in time; the signal's reason
   */
  async call(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    options: SpdkCallOptions = {},
  ): Promise<unknown> {
    const { signal, timeoutMs = 30_000, lane = "" } = options;
    signal?.throwIfAborted();
    using limit = deadline(timeoutMs, method, signal);
    this.#awaited += 1;
    this.#socket?.ref();
    try {
      const work = this.#inLane(lane, limit.signal, () => this.#send(method, params));
      return await abortable(work, limit.signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      throw new Error(`the SPDK target at ${this.#path} did not answer ${method} within ${timeoutMs} ms`);
    } finally {
      this.#awaited -= 1;
      if (this.#awaited === 0) this.#socket?.unref();
    }
  }

  #inLane(lane: string, givenUp: AbortSignal, send: () => Promise<unknown>): Promise<unknown> {
    const before = this.#lanes.get(lane);
    const work =
      before === undefined
        ? send()
        : before.then(() => {
            givenUp.throwIfAborted();
            return send();
          });
    const end = work.then(
      () => {},
      () => {},
    );
    this.#lanes.set(lane, end);
    void end.then(() => {
      if (this.#lanes.get(lane) === end) this.#lanes.delete(lane);
    });
    return work;
  }

  /** Settles when the target answers or the connection is lost, even after the caller gave up. */
  #send(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#pending.set(this.#lastId, { method, resolve, reject });
      this.#socket ??= this.#connect();
      const call = Object.keys(params).length > 0 ? { method, params } : { method };
      this.#socket.write(JSON.stringify({ jsonrpc: "2.0", id: this.#lastId, ...call }));
    });
  }

  #connect(): Socket {
    const socket: Socket = createConnection(this.#path).setEncoding("utf8");
    const stream = new JsonStream();
    let connected = false;
    const lose = (error: unknown) => {
      socket.destroy();
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      const pending = [...this.#pending.values()];
      this.#pending.clear();
      for (const { reject } of pending) reject(error);
    };
    const closed = (reason: string) =>
      new SpdkConnectionLost(`the SPDK target at ${this.#path} closed the connection${reason}`);
    socket.on("connect", () => {
      connected = true;
    });
    socket.on("error", (error) => lose(connected ? closed(`: ${error.message}`) : error));
    socket.on("close", () => lose(closed("")));
    socket.on("data", (text: string) => {
      try {
        for (const answer of stream.push(text)) this.#settle(answer);
      } catch (error) {
        lose(error);
      }
    });
    return socket;
  }

  #settle(answer: unknown): void {
    const { id, error, result } = answer as {
      id?: unknown;
      error?: { code?: number; message?: string };
      result?: unknown;
    };
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (pending === undefined) return;
    this.#pending.delete(id as number);
    if (error === undefined) pending.resolve(result);
    else pending.reject(new SpdkError(pending.method, Number(error.code ?? 0), error.message ?? "refused"));
  }
}
