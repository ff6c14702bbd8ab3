/** Number of hosts that are asked at once in the beginning. */
const FIRST = 32;
/** A connection that takes longer, ms, is a sign that too many are opened at once. */
const SLOW_MS = 1_000;
/** Minimum and maximum of the time in which a host must answer a connection, ms. */
const MIN_CONNECT_MS = 3_000;
const MAX_CONNECT_MS = 10_000;

export interface HostPaceOptions {
  /** Maximum number of hosts that are asked at once. */
  readonly fanout: number;
  /**
   * True when each host gets the maximum time, because it is the only one, or because the operator has given a
   * deadline.
   */
  readonly patient: boolean;
}

/**
 * Decides how many hosts of one request are asked at once, and how long each may take to answer a connection, from the
 * times of the hosts before it. With certificates a thousand connections take seconds of CPU: opened all at once, all
 * would be late, and healthy hosts would count as dead.
 */
export class HostPace {
  readonly #fanout: number;
  #atOnce: number;
  #connectMs: number;

  constructor({ fanout, patient }: HostPaceOptions) {
    this.#fanout = fanout;
    this.#atOnce = Math.min(FIRST, fanout);
    this.#connectMs = patient ? MAX_CONNECT_MS : MIN_CONNECT_MS;
  }

  get atOnce(): number {
    return this.#atOnce;
  }

  /** Three times the time of the slowest host, ms, within limits; it only grows. */
  get connectMs(): number {
    return this.#connectMs;
  }

  /** Records that a host has answered its connection. */
  connected(ms: number): void {
    this.#connectMs = Math.min(MAX_CONNECT_MS, Math.max(this.#connectMs, Math.ceil(3 * ms)));
    const wanted = this.#atOnce + (ms < SLOW_MS ? 1 : -1);
    this.#atOnce = Math.min(this.#fanout, Math.max(FIRST, wanted));
  }
}
