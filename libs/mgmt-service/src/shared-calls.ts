import { abortable } from "@daos/sys";

/**
 * Shares one call among all callers with the same key at the same time, and limits the number of concurrent calls, so
 * that the work does not grow with the number of clients. Answers are not cached: a later caller gets a later answer.
 */
export class SharedCalls<T> {
  readonly #most: number;
  readonly #flying = new Map<string, Promise<T>>();

  /** @param most calls at once; others wait until one of them has ended */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Joins the call with this key that is under way, or starts one. It continues when this caller gives up: others wait
   * for it.
   *
   * @throws what the call throws; the signal's reason
   */
  async call(key: string, start: () => Promise<T>, { signal }: { readonly signal: AbortSignal }): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const flying = this.#flying.get(key);
      if (flying !== undefined) return abortable(flying, signal);
      if (this.#flying.size < this.#most) break;
      await abortable(Promise.race([...this.#flying.values()].map((one) => one.then(noop, noop))), signal);
    }
    const started = start().finally(() => this.#flying.delete(key));
    this.#flying.set(key, started);
    started.catch(noop);
    return abortable(started, signal);
  }
}

function noop(): void {}
