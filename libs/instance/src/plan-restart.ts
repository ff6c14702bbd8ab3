import { backOffMs } from "@daos/sys";

/** The action after an engine has ended without a request. */
export type RestartPlan =
  | { readonly kind: "restart"; readonly delayMs: number }
  | { readonly kind: "give-up"; readonly reason: string };

export interface RestartHistory {
  /** It has served since the server started, so its configuration is not the cause of its end. */
  readonly hasServed: boolean;
  /** Ends in a row after less than {@link STABLE_MS} of service. */
  readonly failuresInARow: number;
  /** The storage on which it was accepted is lost: only an operator can decide what to do. */
  readonly storageLost: boolean;
}

/** After this time of service, ms, earlier ends no longer count. */
export const STABLE_MS = 60_000;
const BACK_OFF = { firstMs: 1_000, maxMs: 30_000 };
const MAX_FAILURES = 6;

/**
 * Exponential back-off from 1 s to 30 s with jitter, and an end to crash loops. An engine that never served is not
 * tried again: its configuration is wrong, and the operator is waiting for the message.
 *
 * @param random a number from 0 to 1, so that engines of many hosts do not come back in step
 */
export function planRestart(history: RestartHistory, random: number): RestartPlan {
  const { hasServed, failuresInARow, storageLost } = history;
  if (storageLost) return { kind: "give-up", reason: "its storage is lost" };
  if (!hasServed) return { kind: "give-up", reason: "it has never served" };
  if (failuresInARow >= MAX_FAILURES) {
    return { kind: "give-up", reason: `it ended ${failuresInARow} times in a row` };
  }
  return { kind: "restart", delayMs: Math.round(backOffMs(BACK_OFF, Math.max(1, failuresInARow), random)) };
}
