import { performance } from "node:perf_hooks";

/** Maximum number of keys; the least recently used ones are dropped first. */
const MAX_KEYS = 10_000;

/**
 * A token bucket for each key, such as an address: how long its next connection or call must wait. A flood delays only
 * calls with the same key.
 */
export class TokenBuckets {
  readonly #burst: number;
  readonly #perMs: number;
  readonly #now: () => number;
  /** When a bucket is full again, by its key. */
  readonly #fullAt = new Map<string, number>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(burst: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#now = now;
  }

  /**
   * Takes a token, unless the wait for one would exceed `most` milliseconds.
   *
   * @returns the wait in milliseconds, 0 for none; `undefined` when it is too long, and no token is taken
   */
  delay(key: string, most: number): number | undefined {
    const now = this.#now();
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + 1 / this.#perMs;
    const delay = Math.max(0, fullAt - now - this.#burst / this.#perMs);
    if (delay > most) return undefined;
    this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt);
    if (this.#fullAt.size > MAX_KEYS) this.#forget(now);
    return delay;
  }

  /** True while there is no token. */
  isEmpty(key: string): boolean {
    const now = this.#now();
    return (this.#fullAt.get(key) ?? now) - now > (this.#burst - 1) / this.#perMs;
  }

  /** Drops full buckets, which equal new ones; if no bucket is full, the oldest. */
  #forget(now: number): void {
    const [oldest] = this.#fullAt.keys();
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    if (this.#fullAt.size > MAX_KEYS && oldest !== undefined) this.#fullAt.delete(oldest);
  }
}
