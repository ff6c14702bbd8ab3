import type { AskOptions } from "@daos/control-client";
import { type Fault, FaultCode, faultDaosStatus, retryClass, toFault } from "@daos/fault";
import type { JoinRequest, JoinResult } from "@daos/instance";
import type { Logger } from "@daos/log";
import { parseRank } from "@daos/rank";
import { BackOff, type Clock, isTimeout, systemClock } from "@daos/sys";
import { faultJoinRefused } from "./faults.ts";
import { isCertificateFault } from "./is-certificate-fault.ts";

/** The leader's answer to a join. */
export interface JoinReply {
  readonly status: number;
  readonly rank: number;
  readonly incarnation: number;
}

/**
 * Refusals whose cause may soon be gone: a host's new address is accepted when its old one has sent no report for a
 * while, and engines with the former provider may be ending.
 */
const PASSING_REFUSALS: ReadonlySet<number> = new Set([
  FaultCode.memberElsewhere,
  FaultCode.providerMismatch,
]);
const PASSING_REFUSAL_MS = 60_000;
const ATTEMPT_MS = 60_000;
/**
 * Timeout of one attempt, ms. The data plane may need longer, but when the leader is frozen another host leads by then.
 */
const HOST_MS = 10_000;
const DELAYS = { firstMs: 250, maxMs: 10_000 };
/** As servers of release 0.8.0 wait between two joins. */
const OTHER_RELEASE_DELAYS = { firstMs: 3_000, maxMs: 3_000 };

export interface JoinSystemOptions {
  /** Sends one join request to the leader, wherever it is. */
  readonly attempt: (request: JoinRequest, wait: AskOptions) => Promise<JoinReply>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

/**
 * Joins the system, and waits for a leader as long as necessary; the pauses between the attempts grow to 10 s. A leader
 * of release 0.8.0 refuses a second join until it is restarted; until then it is asked every 3 s, as its own servers
 * do. Expired, wrong or missing certificates can be replaced and clocks can be set while the engine waits, so none of
 * them ends it.
 *
 * @throws Fault when the system refuses the engine for good
 */
export async function joinSystem(request: JoinRequest, options: JoinSystemOptions): Promise<JoinResult> {
  const { attempt, log, signal, clock = systemClock } = options;
  const begun = clock.now();
  const ownDelays = new BackOff({ ...DELAYS, clock });
  const otherReleaseDelays = new BackOff({ ...OTHER_RELEASE_DELAYS, clock });
  let refusal: string | undefined;
  for (;;) {
    let backOff = ownDelays;
    try {
      using limit = clock.deadline(ATTEMPT_MS, `join engine ${request.uuid}`, signal);
      const { status, rank, incarnation } = await attempt(request, { signal: limit.signal, hostMs: HOST_MS });
      if (status !== 0) throw faultDaosStatus(`join engine ${request.uuid}`, status);
      return { rank: parseRank(rank), incarnation };
    } catch (error) {
      const fault: Fault = toFault(error);
      const mayPass = PASSING_REFUSALS.has(fault.code) && clock.now() - begun < PASSING_REFUSAL_MS;
      const timedOut = isTimeout(error);
      // A join may be repeated. Our servers send a fault code; a refusal without one is from a server of release 0.8.0.
      const refused = fault.code === FaultCode.unknown;
      const certificate = isCertificateFault(fault);
      const { nextMs: waitMs } = ownDelays;
      const passes = mayPass || timedOut || refused || certificate || retryClass(fault) !== "final";
      if (signal.aborted || !passes) throw fault;
      if (certificate && refusal !== fault.message) {
        log.error("the engine waits to join until the certificates are good", { fault, waitMs });
      } else if (mayPass) log.warn("the join is refused and will be repeated", { fault, waitMs });
      else if (!refused) log.info("no join yet", { reason: fault.message, waitMs });
      else if (refusal !== fault.message)
        log.warn("the leader refuses the join, which will be repeated", {
          fault: faultJoinRefused(request.uuid, fault),
        });
      refusal = refused || certificate ? fault.message : undefined;
      if (refused) backOff = otherReleaseDelays;
    }
    await backOff.wait({ signal });
  }
}
