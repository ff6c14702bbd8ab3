import { performance } from "node:perf_hooks";

/** How many keys are remembered; those that have been quiet are forgotten first. */
const MAX_KEYS = 10_000;

/**
 * A token bucket for each key, such as an address: how long its next connection or call has to wait. What comes without end
 * delays what has the same key, and nothing else.
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
   * Takes a token, unless there would be none for more than `most` milliseconds.
   *
   * @returns milliseconds until there is one, 0 for at once; `undefined` when that is too long, and none is taken
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

  /** A full bucket is as good as none; if no bucket is full, the oldest goes. */
  #forget(now: number): void {
    const [oldest] = this.#fullAt.keys();
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    if (this.#fullAt.size > MAX_KEYS && oldest !== undefined) this.#fullAt.delete(oldest);
  }
}
