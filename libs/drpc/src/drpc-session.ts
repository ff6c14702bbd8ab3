import type { Logger } from "@daos/log";
import { drpc } from "@daos/proto";
import { type DrpcModule, type HandlerContext, PayloadError } from "./drpc-module.ts";
import { decodeCall, encodeResponse } from "./envelope.ts";
import { faultMessageTooLong, MAX_PACKET } from "./faults.ts";
import type { PacketSocket } from "./packet-socket.ts";
import type { PeerBudget } from "./peer-budgets.ts";

const { Status } = drpc;

export interface DrpcSessionOptions {
  readonly modules: ReadonlyMap<number, DrpcModule>;
  readonly log: Logger;
  /** The limit of pending calls of one peer. At the limit the peer's packets are not read. */
  readonly maxCalls: number;
  /** The peer's budget; when it is used up, the peer is not read for a while. */
  readonly budget: PeerBudget;
  readonly onEnd: () => void;
}

/** The connection of one peer. Its calls run concurrently, and are answered in the order of completion. */
export class DrpcSession {
  readonly #socket: PacketSocket;
  readonly #options: DrpcSessionOptions;
  readonly #log: Logger;
  readonly #gone = new AbortController();
  #calls = 0;
  /** Runs while the peer has used up its budget. */
  #wait: NodeJS.Timeout | undefined;

  constructor(socket: PacketSocket, options: DrpcSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#log = options.log.child("session", { peerPid: socket.peer.pid });
    socket.open({
      onPacket: (packet, length) => void this.#serve(packet, length),
      onClose: (error) => {
        this.#log.debug("peer gone", { error, calls: this.#calls });
        clearTimeout(this.#wait);
        options.budget.leave();
        this.#gone.abort(error ?? new Error("the dRPC peer has closed the connection"));
        options.onEnd();
      },
    });
  }

  close(): void {
    this.#socket.close();
  }

  #mayRead(): boolean {
    return this.#calls < this.#options.maxCalls && this.#wait === undefined;
  }

  #charge(length: number): void {
    const waitMs = this.#options.budget.take(length);
    if (waitMs === 0) return;
    clearTimeout(this.#wait);
    this.#wait = setTimeout(() => {
      this.#wait = undefined;
      if (this.#mayRead()) this.#socket.resume();
    }, waitMs);
  }

  async #serve(packet: Uint8Array, length: number): Promise<void> {
    this.#calls++;
    this.#charge(length);
    if (!this.#mayRead()) this.#socket.pause();
    const answered: (() => void)[] = [];
    const response = await this.#respond(packet, length, (callback) => void answered.push(callback));
    if (this.#gone.signal.aborted) return;
    this.#socket.send(response, "answer", {
      onSent: () => {
        this.#calls--;
        if (this.#mayRead()) this.#socket.resume();
        for (const callback of answered) callback();
      },
    });
  }

  /** The answer as a packet. Never rejects, and never exceeds the packet limit. */
  async #respond(
    packet: Uint8Array,
    length: number,
    onAnswered: HandlerContext["onAnswered"],
  ): Promise<Uint8Array> {
    let call: drpc.Call;
    try {
      if (length > MAX_PACKET) throw faultMessageTooLong("a call", length);
      call = decodeCall(packet);
    } catch (error) {
      this.#log.warn("a call that cannot be decoded", { error, bytes: length });
      return encodeResponse(-1n, Status.FAILED_UNMARSHAL_CALL);
    }
    const { module, method, sequence, body } = call;
    const known = this.#options.modules.get(module);
    if (known === undefined) {
      this.#log.warn("a call to an unknown module", { module, method });
      return encodeResponse(sequence, Status.UNKNOWN_MODULE);
    }
    const bound = known.methods.get(method);
    if (bound === undefined) {
      // No method has number 0. The call is a liveness probe.
      const level = method === 0 ? "debug" : "warn";
      this.#log[level]("a call to an unknown method", { module, method });
      return encodeResponse(sequence, Status.UNKNOWN_METHOD);
    }
    const { name } = bound.method;
    try {
      const { peer } = this.#socket;
      const result = await bound.serve(body, { peer, signal: this.#gone.signal, onAnswered });
      const response = encodeResponse(sequence, Status.SUCCESS, result);
      if (response.length <= MAX_PACKET) return response;
      this.#log.error("the answer is lost", {
        error: faultMessageTooLong(`answer to ${name}`, response.length),
      });
      return encodeResponse(sequence, Status.FAILED_MARSHAL);
    } catch (error) {
      if (error instanceof PayloadError) {
        this.#log.warn("a call whose body cannot be decoded", { method: name, error });
        return encodeResponse(sequence, Status.FAILED_UNMARSHAL_PAYLOAD);
      }
      if (!this.#gone.signal.aborted) this.#log.error("a call failed", { method: name, error });
      return encodeResponse(sequence, Status.FAILURE);
    }
  }
}
