import { drpcMethods } from "@daos/drpc";
import type { Harness } from "@daos/harness";
import type { mgmt } from "@daos/proto";
import { type Clock, isTimeout, systemClock } from "@daos/sys";
import { faultEngineHangs } from "./faults.ts";

export interface PrepShutdownOptions {
  /** The time that the leader allows this host, ms. */
  readonly allowedMs: number;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

/** The engine's share of the time that its host has; the rest is for the network. */
const ENGINE_SHARE = 2 / 3;

/**
 * Prepares an engine for a stop. A host that does not answer in time counts as dead for the leader, which then stops
 * nothing on it; so an engine that hangs is reported before that time.
 *
 * @throws Fault engineNotReady when the engine does not answer
 */
export async function prepShutdown(
  harness: Pick<Harness, "findRank">,
  rank: number,
  { allowedMs, signal, clock = systemClock }: PrepShutdownOptions,
): Promise<mgmt.DaosResp> {
  const waitMs = allowedMs * ENGINE_SHARE;
  using limit = clock.deadline(waitMs, `prepare shutdown of rank ${rank}`, signal);
  try {
    const engine = await harness.findRank(rank, limit);
    return await engine.call(drpcMethods.prepShutdown, { rank }, limit);
  } catch (error) {
    throw isTimeout(limit.signal.reason) ? faultEngineHangs(rank, waitMs, error) : error;
  }
}
