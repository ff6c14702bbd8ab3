import { type Clock, systemClock } from "./clock.ts";

/** The waits between attempts. */
interface BackOffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The wait after `failures` failed attempts in a row, ms: it doubles from the first to the longest, with a quarter more or less
 * so that many hosts do not come back in step.
 *
 * @param failures 1 or more
 * @param random a number from 0 to 1
 */
export function backOffMs({ firstMs, maxMs }: BackOffLimits, failures: number, random: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs) * (0.75 + random / 2);
}

/** Exponential back-off: each {@link wait} is longer than the last one, until {@link reset}. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #clock: Clock;
  #failures = 0;

  constructor(options: BackOffLimits & { readonly clock?: Clock | undefined }) {
    this.#limits = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The approximate length of the next {@link wait}, ms. */
  get nextMs(): number {
    return backOffMs(this.#limits, this.#failures + 1, 0.5);
  }

  /** Call it after a success: the next wait is the shortest one again. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits before the next attempt. @throws the signal's reason as soon as it aborts */
  wait(options: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#failures += 1;
    return this.#clock.delay(backOffMs(this.#limits, this.#failures, this.#clock.random()), options);
  }
}
