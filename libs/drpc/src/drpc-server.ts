import { type Logger, limitRepeats } from "@daos/log";
import type { DrpcModule } from "./drpc-module.ts";
import { DrpcSession } from "./drpc-session.ts";
import { PacketListener } from "./packet-listener.ts";
import { MAX_QUEUED } from "./packet-socket.ts";
import { DEFAULT_PEER_LIMITS, PeerBudgets, type PeerLimits } from "./peer-budgets.ts";

export interface DrpcServerOptions {
  /** Of the socket file. */
  readonly path: string;
  readonly modules: readonly DrpcModule[];
  readonly log: Logger;
  /** The limit of connected peers; 1000 by default. Further peers are disconnected. */
  readonly maxSessions?: number;
  /** The limits of one peer; absent ones are those of {@link DEFAULT_PEER_LIMITS}. */
  readonly peerLimits?: Partial<PeerLimits>;
  /** The limit of pending calls per session; 64 by default. A peer with more calls has to wait. */
  readonly maxCallsPerSession?: number;
}

/**
 * A dRPC server on one socket file. Statuses are those of the contract: sequence -1 and FAILED_UNMARSHAL_CALL for bytes
 * that are no call, UNKNOWN_MODULE, UNKNOWN_METHOD, FAILED_UNMARSHAL_PAYLOAD, FAILED_MARSHAL for an answer that
 * does not fit into a packet, FAILURE for a handler that throws.
 *
 * @see DAOS 0.8.0 src/control/drpc/drpc_server.go, modules.go
 */
export class DrpcServer {
  readonly path: string;
  readonly #modules: ReadonlyMap<number, DrpcModule>;
  readonly #log: Logger;
  readonly #maxSessions: number;
  readonly #maxCalls: number;
  readonly #budgets: PeerBudgets;
  readonly #sessions = new Set<DrpcSession>();
  #listener: PacketListener | undefined;

  constructor(options: DrpcServerOptions) {
    this.path = options.path;
    // Lines that a peer can cause are logged at a bounded rate.
    this.#log = limitRepeats(options.log);
    this.#maxSessions = options.maxSessions ?? 1000;
    // At most the queue's length, so that every answer fits into the queue.
    this.#maxCalls = Math.min(options.maxCallsPerSession ?? 64, MAX_QUEUED);
    this.#budgets = new PeerBudgets({ ...DEFAULT_PEER_LIMITS, ...options.peerLimits });
    this.#modules = new Map(options.modules.map((module) => [module.id, module]));
  }

  /** The number of connected peers. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /**
   * Creates the socket, mode 0660, and serves calls.
   *
   * @throws Fault drpcSocketBusy when another server listens there, drpcSocketDirectory; the signal's reason
   */
  async listen(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (this.#listener !== undefined) throw new Error(`the dRPC server listens on ${this.path} already`);
    const handlers = {
      onSocket: this.#onSocket,
      onError: (error: unknown) => this.#log.error("a dRPC connection could not be accepted", { error }),
    };
    this.#listener = await PacketListener.listen(this.path, handlers, options);
    this.#log.debug("listening", { path: this.path });
  }

  /** Stops listening, removes the socket file, ends all sessions and aborts their handlers. */
  close(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    for (const session of this.#sessions) session.close();
    return Promise.resolve();
  }

  readonly #onSocket: Parameters<typeof PacketListener.listen>[1]["onSocket"] = (socket) => {
    if (this.#sessions.size >= this.#maxSessions) {
      this.#log.error("too many dRPC peers: more are turned away", { sessions: this.#sessions.size });
      socket.close();
      return;
    }
    const budget = this.#budgets.enter(socket.peer);
    if (budget === undefined) {
      const { pid, uid } = socket.peer;
      this.#log.warn("a dRPC peer has too many connections: more of it are turned away", {
        peerPid: pid,
        peerUid: uid,
      });
      socket.close();
      return;
    }
    const session: DrpcSession = new DrpcSession(socket, {
      modules: this.#modules,
      log: this.#log,
      maxCalls: this.#maxCalls,
      budget,
      onEnd: () => void this.#sessions.delete(session),
    });
    this.#sessions.add(session);
  };
}
