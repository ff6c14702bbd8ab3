/** So many hosts are asked at once in the beginning. */
const FIRST = 32;
/** A connection that takes longer, ms, is a sign that too many are opened at once. */
const SLOW_MS = 1_000;
/** How long a host may take to answer a connection, ms: at least, and at most. */
const MIN_CONNECT_MS = 3_000;
const MAX_CONNECT_MS = 10_000;

export interface HostPaceOptions {
  /** The most hosts that are asked at once. */
  readonly fanout: number;
  /** Each host may have the longest time, because there is one only, or because the operator has given a deadline. */
  readonly patient: boolean;
}

/**
 * How many hosts of one request are asked at once, and how long each may take to answer a connection, by how long those
 * before it have taken. With certificates a thousand connections take seconds of CPU: opened all at once, all of them would
 * be late, and hosts that are well would count as dead.
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

  /** Three times what the slowest host has taken, ms, within limits; it only grows. */
  get connectMs(): number {
    return this.#connectMs;
  }

  /** Notes that a host has answered its connection. */
  connected(ms: number): void {
    this.#connectMs = Math.min(MAX_CONNECT_MS, Math.max(this.#connectMs, Math.ceil(3 * ms)));
    const wanted = this.#atOnce + (ms < SLOW_MS ? 1 : -1);
    this.#atOnce = Math.min(this.#fanout, Math.max(FIRST, wanted));
  }
}
