import { type Deadline, deadline, delay } from "./deadline.ts";
import { monotonicNow } from "./monotonic-now.ts";

/**
 * Time and random numbers, for logic that a simulation runs in virtual time. Everything else uses {@link systemClock}'s
 * parts.
 */
export interface Clock {
  /** Monotonic time, ms, for all computations. Jumps of the wall clock do not affect it. */
  now(): number;
  /** Whole ms since 1970, for display and storage only, never for computations. */
  wallTime(): number;
  /** A number from 0 up to 1. */
  random(): number;
  delay(ms: number, options: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  deadline(ms: number, waitingFor: string, parent?: AbortSignal): Deadline;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: monotonicNow,
  wallTime: () => Date.now(),
  random: () => Math.random(),
  delay,
  deadline,
};
