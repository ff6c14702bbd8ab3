import type { ActionResult } from "./action-result.ts";

/** Hosts at a time unless the caller says otherwise. */
export const DEFAULT_FANOUT = 128;
/** Time limit of one step on one host, ms, unless the caller gives another. */
export const DEFAULT_STEP_MS = 30_000;

export interface ActionOptions {
  readonly signal: AbortSignal;
  /** Ranks that the caller has named. Other ranks that are excluded or replaced are left out of a start and a stop. */
  readonly named?: readonly number[] | undefined;
  /** Skips the preparation of the engines. */
  readonly force: boolean;
  /** Hosts at a time. */
  readonly fanout: number;
  /** For each host and step, ms. */
  readonly timeoutMs: number;
  /** Called with the result of each step. */
  readonly onStep?: ((results: readonly ActionResult[]) => void) | undefined;
}

/** The options of an action in the term in which it began. */
export interface TermOptions extends ActionOptions {
  /** @throws Fault leadershipLost when the term is over */
  readonly checkTerm: () => void;
  /** Aborts when the caller has given up; `signal` aborts then too. */
  readonly callerSignal: AbortSignal;
}
