import { type Deadline, deadline, delay } from "./deadline.ts";

/** Time and chance, for logic that a simulation runs in virtual time. Everything else uses {@link systemClock}'s parts. */
export interface Clock {
  /** Monotonic time, ms: for anything that is computed. A jump of the wall clock does not show in it. */
  now(): number;
  /** ms since 1970, whole: to be shown and kept, never to be computed with. */
  wallTime(): number;
  /** A number from 0 up to 1. */
  random(): number;
  delay(ms: number, options: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  deadline(ms: number, waitingFor: string, parent?: AbortSignal): Deadline;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  random: () => Math.random(),
  delay,
  deadline,
};
