import type { AskOptions } from "@daos/control-client";
import { type Fault, FaultCode, faultDaosStatus, retryClass, toFault } from "@daos/fault";
import type { Joined, JoinRequest } from "@daos/instance";
import type { Logger } from "@daos/log";
import { parseRank } from "@daos/rank";
import { BackOff, type Clock, systemClock } from "@daos/sys";
import { faultJoinRefused } from "./faults.ts";
import { isCertificateFault } from "./is-certificate-fault.ts";

/** What the leader answers. */
export interface JoinReply {
  readonly status: number;
  readonly rank: number;
  readonly incarnation: number;
}

/**
 * What these refusals rest on may be over soon: a host that has a new address is believed when its old one has been silent
 * for a while, and engines of the former provider may be ending.
 */
const PASSING_REFUSALS: ReadonlySet<number> = new Set([
  FaultCode.memberElsewhere,
  FaultCode.providerMismatch,
]);
const PASSING_REFUSAL_MS = 60_000;
const ATTEMPT_MS = 60_000;
/** The data plane may need longer than this, ms; but by then another host leads if the one that is asked is frozen. */
const HOST_MS = 10_000;
const DELAYS = { firstMs: 250, maxMs: 10_000 };
/** As servers of release 0.8.0 wait between two joins. */
const OTHER_RELEASE_DELAYS = { firstMs: 3_000, maxMs: 3_000 };

export interface JoinSystemOptions {
  /** One attempt at the leader, wherever that is. */
  readonly attempt: (request: JoinRequest, wait: AskOptions) => Promise<JoinReply>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

/**
 * Joins the system, for as long as it takes a leader to come up; the waits between the attempts grow to 10 s. A leader of
 * release 0.8.0 refuses a second join until it is started again itself, and is asked every 3 s until then, as by its own servers.
 * Certificates that are expired, wrong or missing can be replaced while the engine waits, and a clock can be set: the engine
 * is not ended for them.
 *
 * @throws Fault when the system refuses the engine for good
 */
export async function joinSystem(request: JoinRequest, options: JoinSystemOptions): Promise<Joined> {
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
      const timedOut = error instanceof DOMException && error.name === "TimeoutError";
      // A join may be done twice.
      // Our servers say why; a refusal without a code is one of the original's.
      const refused = fault.code === FaultCode.unknown;
      const certificate = isCertificateFault(fault);
      const { nextMs: waitMs } = ownDelays;
      const passes = mayPass || timedOut || refused || certificate || retryClass(fault) !== "final";
      if (signal.aborted || !passes) throw fault;
      if (certificate && refusal !== fault.message) {
        log.error("the engine waits to join until the certificates are good", { fault, waitMs });
      } else if (mayPass) log.warn("the join is refused, and asked for again", { fault, waitMs });
      else if (!refused) log.info("no join yet", { reason: fault.message, waitMs });
      else if (refusal !== fault.message)
        log.warn("the leader refuses the join, and is asked again", {
          fault: faultJoinRefused(request.uuid, fault),
        });
      refusal = refused || certificate ? fault.message : undefined;
      if (refused) backOff = otherReleaseDelays;
    }
    await backOff.wait({ signal });
  }
}
