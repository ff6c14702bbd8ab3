import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { ClientTls } from "@daos/http2";
import { abortable } from "@daos/sys";
import { HostConnection } from "./host-connection.ts";

/** A host that has been tried: with a connection to it, or the error that came instead. */
export type Dialled =
  | { readonly kind: "open"; readonly host: HostAddress; readonly connection: HostConnection }
  | { readonly kind: "failed"; readonly host: HostAddress; readonly error: unknown };

/**
 * Opens connections to hosts, any of which may do: in their order, the next one as soon as one has failed or has been
 * silent for `staggerMs`, while those that are silent may still answer. So a dead host costs that time and no more.
 * Disposing closes every connection.
 *
 * @see RFC 8305, which does the same for the addresses of one name
 */
export class ConnectionRace implements Disposable {
  readonly #tls: ClientTls;
  readonly #staggerMs: number;
  readonly #abort = new AbortController();
  readonly #seen = new Set<string>();
  readonly #connections: HostConnection[] = [];
  readonly #waiting: HostAddress[] = [];
  readonly #done: Dialled[] = [];
  readonly #silent = new Map<string, HostAddress>();
  #lastStart = Number.NEGATIVE_INFINITY;
  #wake = () => {};

  constructor(tls: ClientTls, options: { readonly staggerMs: number }) {
    this.#tls = tls;
    this.#staggerMs = options.staggerMs;
  }

  /** Hosts that have been called and say nothing. */
  get silent(): Iterable<HostAddress> {
    return this.#silent.values();
  }

  /** Lines a host up behind the others. One that is known already stays where it is. */
  add(host: HostAddress): void {
    if (this.#isNew(host)) this.#waiting.push(host);
  }

  /** Calls a host at once, unless it has been called already. */
  prefer(host: HostAddress): void {
    const name = formatHostAddress(host);
    const at = this.#waiting.findIndex((one) => formatHostAddress(one) === name);
    if (at !== -1) this.#waiting.splice(at, 1);
    if (this.#isNew(host) || at !== -1) this.#start(host);
  }

  /** The next host that answers or fails; undefined when none is left. @throws the signal's reason */
  async next({ signal }: { readonly signal: AbortSignal }): Promise<Dialled | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const done = this.#done.shift();
      if (done !== undefined) return done;
      const dueMs = this.#silent.size === 0 ? 0 : this.#lastStart + this.#staggerMs - performance.now();
      const [host] = this.#waiting;
      if (host !== undefined && dueMs <= 0) {
        this.#waiting.shift();
        this.#start(host);
        continue;
      }
      if (this.#silent.size === 0) return undefined;
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const timer = host === undefined ? undefined : setTimeout(woken.resolve, dueMs);
      try {
        await abortable(woken.promise, signal);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }

  #isNew(host: HostAddress): boolean {
    const name = formatHostAddress(host);
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    return true;
  }

  #start(host: HostAddress): void {
    const name = formatHostAddress(host);
    const connection = new HostConnection(host, this.#tls);
    this.#connections.push(connection);
    this.#silent.set(name, host);
    this.#lastStart = performance.now();
    const settle = (dialled: Dialled) => {
      this.#silent.delete(name);
      if (dialled.kind === "failed") this.#lastStart = Number.NEGATIVE_INFINITY;
      this.#done.push(dialled);
      this.#wake();
    };
    connection.connect({ signal: this.#abort.signal }).then(
      () => settle({ kind: "open", host, connection }),
      (error: unknown) => settle({ kind: "failed", host, error }),
    );
  }
}
