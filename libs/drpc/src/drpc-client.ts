import { drpc } from "@daos/proto";
import { deadline } from "@daos/sys";
import {
  type Body,
  type BodyInit,
  type BodyMessage,
  type DrpcMethod,
  decodeBody,
  encodeBody,
} from "./drpc-method.ts";
import { decodeResponse, encodeCall, peekSequence } from "./envelope.ts";
import {
  faultCallFailed,
  faultConnectionLost,
  faultMalformed,
  faultMessageTooLong,
  MAX_PACKET,
} from "./faults.ts";
import type { PeerCredentials } from "./native.ts";
import { PacketSocket } from "./packet-socket.ts";

export interface WaitOptions {
  /** Without a signal, a wait ends after 10 s for a connection and 60 s for a call. */
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions extends WaitOptions {
  /** The sequence of the first call; 1 by default. The data plane's own calls use 0. */
  readonly firstSequence?: bigint | undefined;
}

interface PendingCall {
  readonly attempted: string;
  readonly settle: (response: drpc.Response) => void;
  readonly fail: (reason: unknown) => void;
}

/** The default deadline of a call, ms. The real engine takes up to 10.6 s for a pool. */
const CALL_MS = 60_000;

/**
 * One connection to a dRPC server. Any number of calls may be in flight. Answers are matched to calls by sequence, in
 * any order.
 *
 * @see DAOS 0.8.0 src/control/drpc/drpc_client.go
 */
export class DrpcClient {
  readonly path: string;
  /** Resolves, never rejects, when the connection has ended, from either side. */
  readonly closed: Promise<void>;
  readonly #socket: PacketSocket;
  readonly #pending = new Map<bigint, PendingCall>();
  #sequence: bigint;
  #open = true;
  #lost: unknown;

  private constructor(path: string, socket: PacketSocket, firstSequence: bigint) {
    this.path = path;
    this.#sequence = firstSequence;
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.open({
        onPacket: (packet, length) => this.#onPacket(packet, length),
        onClose: (error) => {
          this.#open = false;
          this.#lost ??= error;
          this.#failAll((call) => faultConnectionLost(call.attempted, this.#lost));
          resolve();
        },
      });
    });
  }

  /**
   * Connects, waiting while the server's backlog is full.
   *
   * @throws Fault drpcConnect; the signal's reason
   */
  static async connect(path: string, options: ConnectOptions = {}): Promise<DrpcClient> {
    return new DrpcClient(path, await PacketSocket.connect(path, options), options.firstSequence ?? 1n);
  }

  /** False once the connection has ended. Every further call fails: make a new client. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** The credentials of the listening process. */
  get peer(): PeerCredentials {
    return this.#socket.peer;
  }

  /**
   * Calls a method and waits for its answer. An abort ends the wait only: the peer is not notified and may finish the
   * work.
   *
   * @throws Fault drpcMessageTooLong (nothing sent, or the answer too long), drpcPeerStalled (nothing sent),
   *   drpcConnectionLost, drpcCallFailed for a status other than SUCCESS, drpcMalformed; the signal's reason. Each
   *   names
   *   method and socket.
   */
  async call<Request extends Body, Response extends Body>(
    method: DrpcMethod<Request, Response>,
    request: BodyInit<Request>,
    options: WaitOptions = {},
  ): Promise<BodyMessage<Response>> {
    const attempted = `dRPC ${method.name} on ${this.path}`;
    options.signal?.throwIfAborted();
    if (!this.#open) throw faultConnectionLost(attempted, this.#lost);
    const body = encodeBody(method.request, request);
    const response = await this.#exchange(method, body, attempted, options.signal);
    if (response.status !== drpc.Status.SUCCESS) {
      throw faultCallFailed(attempted, drpc.Status[response.status] ?? `status ${response.status}`);
    }
    try {
      return decodeBody(method.response, response.body);
    } catch (error) {
      throw faultMalformed(attempted, error);
    }
  }

  /** Ends the connection. Calls in flight fail with drpcConnectionLost. */
  close(): void {
    this.#lost ??= new Error("closed by this side");
    this.#socket.close();
  }

  async #exchange(
    method: DrpcMethod,
    body: Uint8Array,
    attempted: string,
    wanted: AbortSignal | undefined,
  ): Promise<drpc.Response> {
    using limit = wanted === undefined ? deadline(CALL_MS, attempted) : undefined;
    const signal = wanted ?? limit?.signal;
    const sequence = this.#sequence++;
    let onAbort = () => {};
    try {
      return await new Promise((settle, fail) => {
        onAbort = () => fail(signal?.reason);
        signal?.addEventListener("abort", onAbort, { once: true });
        this.#pending.set(sequence, { attempted, settle, fail });
        this.#socket.send(encodeCall(method.module, method.method, sequence, body), attempted, { signal });
      });
    } finally {
      this.#pending.delete(sequence);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #onPacket(packet: Uint8Array, length: number): void {
    if (length > MAX_PACKET) {
      const call = this.#pending.get(peekSequence(packet) ?? -1n);
      if (call === undefined)
        this.#breakOff((one) => faultMessageTooLong(`answer to ${one.attempted}`, length));
      else call.fail(faultMessageTooLong(`answer to ${call.attempted}`, length));
      return;
    }
    let response: drpc.Response;
    try {
      response = decodeResponse(packet);
    } catch (error) {
      this.#breakOff((call) => faultMalformed(call.attempted, error));
      return;
    }
    if (response.sequence === -1n) {
      // The peer could not decode one of our calls, and cannot say which.
      this.#failAll((call) => faultCallFailed(call.attempted, drpc.Status[response.status] ?? "an error"));
      return;
    }
    // The call is no longer pending: its caller has aborted.
    this.#pending.get(response.sequence)?.settle(response);
  }

  /** The peer does not speak dRPC. Its further packets cannot be trusted. */
  #breakOff(fault: (call: PendingCall) => unknown): void {
    this.#failAll(fault);
    this.#lost ??= new Error("the peer sent a packet that is no dRPC response");
    this.#socket.close();
  }

  #failAll(fault: (call: PendingCall) => unknown): void {
    for (const call of this.#pending.values()) call.fail(fault(call));
    this.#pending.clear();
  }
}
