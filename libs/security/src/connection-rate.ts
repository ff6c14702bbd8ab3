import { performance } from "node:perf_hooks";

/** How many addresses are remembered; those that have been quiet are forgotten first. */
const MAX_ADDRESSES = 10_000;

/**
 * How long new connections of an address have to wait: a token bucket for each address. Each connection costs a TLS
 * handshake. An address that opens connections without end delays itself and no other address.
 */
export class ConnectionRate {
  readonly #burst: number;
  readonly #perMs: number;
  readonly #now: () => number;
  /** When the bucket of an address is full again, by its address. */
  readonly #fullAt = new Map<string, number>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(burst: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#now = now;
  }

  /**
   * Counts a new connection, unless it would have to wait for more than `most` milliseconds.
   *
   * @returns milliseconds until it may go on, 0 for at once; `undefined` when that is too long, and it is to be closed
   */
  delay(address: string, most: number): number | undefined {
    const now = this.#now();
    const fullAt = Math.max(this.#fullAt.get(address) ?? now, now) + 1 / this.#perMs;
    const delay = Math.max(0, fullAt - now - this.#burst / this.#perMs);
    if (delay > most) return undefined;
    this.#fullAt.delete(address);
    this.#fullAt.set(address, fullAt);
    if (this.#fullAt.size > MAX_ADDRESSES) this.#forget(now);
    return delay;
  }

  /** An address whose bucket is full is as good as new; if none is, the oldest goes. */
  #forget(now: number): void {
    const [oldest] = this.#fullAt.keys();
    for (const [address, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(address);
    if (this.#fullAt.size > MAX_ADDRESSES && oldest !== undefined) this.#fullAt.delete(oldest);
  }
}
