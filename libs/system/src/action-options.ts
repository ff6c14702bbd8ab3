import type { ActionResult } from "./action-result.ts";

/** Hosts at a time unless the caller says otherwise. */
export const DEFAULT_FANOUT = 128;
/** The most that one host may take for one step, ms, unless the caller says otherwise. */
export const DEFAULT_STEP_MS = 30_000;

export interface ActionOptions {
  readonly signal: AbortSignal;
  /**
   * Ranks that the caller has named. Of all others, excluded and replaced ones are left out of a start and a stop.
   */
  readonly named?: readonly number[] | undefined;
  /** Without asking the engines to get ready. */
  readonly force: boolean;
  /** Hosts at a time. */
  readonly fanout: number;
  /** For each host and step, ms. */
  readonly timeoutMs: number;
  /** Gets what came of each step. */
  readonly onStep?: ((results: readonly ActionResult[]) => void) | undefined;
}

/** The options of an action in the term in which it was begun. */
export interface TermOptions extends ActionOptions {
  /** @throws Fault leadershipLost when the term is over */
  readonly checkTerm: () => void;
  /** Who asked waits no more; `signal` aborts then too. */
  readonly callerSignal: AbortSignal;
}
