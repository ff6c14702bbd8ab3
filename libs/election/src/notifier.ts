/** A wait that can be ended early: `now` ends the present wait, or the next one if none is under way. */
export class Notifier {
  #called = false;
  #resolve: (() => void) | undefined;

  now(): void {
    this.#called = true;
    this.#resolve?.();
  }

  /** Resolves after `ms` milliseconds, or when it is called. @throws the signal's reason as soon as it aborts */
  async wait(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    if (!this.#called) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const end = () => resolve();
      this.#resolve = end;
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end, { once: true });
      await promise;
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
    this.#called = false;
    signal.throwIfAborted();
  }
}
