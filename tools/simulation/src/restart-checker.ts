import type { History } from "./history.ts";

/** The limits of supervision. They are repeated here, so that a change of the real ones is noticed. */
const STABLE_MS = 60_000;
const MAX_FAILURES = 6;
const MAX_PAUSE_MS = 30_000;

/** Checks that an engine is restarted with growing delays, and that restarts end after {@link MAX_FAILURES} failures. */
export class RestartChecker {
  readonly #name: string;
  #asked = true;
  #failures = 0;
  #startedAt = 0;
  #endedAt = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** An administrator requests a start or a stop, or the server starts: earlier failures no longer count. */
  asked(): void {
    this.#asked = true;
  }

  started(now: number, history: History): void {
    if (!this.#asked) {
      const waited = now - this.#endedAt;
      const step = Math.min(1_000 * 2 ** (this.#failures - 1), MAX_PAUSE_MS);
      if (this.#failures >= MAX_FAILURES)
        history.violate(`${this.#name} is started again after ${this.#failures} ends in a row`);
      if (waited < step * 0.75 - 1)
        history.violate(`${this.#name} is started again ${waited} ms after end ${this.#failures} in a row`);
    } else this.#failures = 0;
    this.#asked = false;
    this.#startedAt = now;
  }

  ended(now: number): void {
    this.#failures = now - this.#startedAt > STABLE_MS ? 1 : this.#failures + 1;
    this.#endedAt = now;
  }
}
