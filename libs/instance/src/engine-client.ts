import type { Body, BodyInit, BodyMessage, DrpcClient, DrpcMethod } from "@daos/drpc";

interface Wait {
  readonly signal: AbortSignal;
}

/** One connection to an engine; `@daos/drpc` has the real one. */
export type EngineConnection = Pick<DrpcClient, "call" | "close" | "isOpen">;

/**
 * Calls one process of an engine. A lost connection is not the end of the process: the next call opens another one.
 * Calls that were under way fail, because they may have been carried out.
 */
export class EngineClient {
  #connection: EngineConnection;
  readonly #reconnect: (wait: Wait) => Promise<EngineConnection>;
  #closed = false;

  constructor(connection: EngineConnection, reconnect: (wait: Wait) => Promise<EngineConnection>) {
    this.#connection = connection;
    this.#reconnect = reconnect;
  }

  /** @throws Fault of the call, drpcConnectionLost when there is no other connection either; the signal's reason */
  async call<I extends Body, O extends Body>(
    method: DrpcMethod<I, O>,
    request: BodyInit<I>,
    wait: Wait,
  ): Promise<BodyMessage<O>> {
    if (!this.#connection.isOpen && !this.#closed) {
      // Without another connection the lost one stays, because it has the reason.
      const fresh = await this.#reconnect(wait).catch(() => undefined);
      // Several calls may have opened one, and the process may have ended meanwhile.
      if (this.#connection.isOpen || this.#closed) fresh?.close();
      else if (fresh !== undefined) this.#connection = fresh;
    }
    return this.#connection.call(method, request, wait);
  }

  /** Ends the connection for good: the process has ended. */
  close(): void {
    this.#closed = true;
    this.#connection.close();
  }
}
