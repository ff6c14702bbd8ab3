import { type Fault, FaultCode, faultDaosStatus, toFault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import type { JoinRequest } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { JoinAnswer } from "@daos/mgmt-service";
import { parseRank, type Rank } from "@daos/rank";
import { delay } from "@daos/sys";

/** Failures after which the same join may well succeed: the leader is not up yet, or not reached. */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([
  FaultCode.systemNotReady,
  FaultCode.notLeader,
  FaultCode.engineNotRunning,
  FaultCode.notAccessPoint,
  FaultCode.connectionRefused,
  FaultCode.connectionFailed,
  FaultCode.timedOut,
  FaultCode.drpcConnectionLost,
]);
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

export interface JoinSystemOptions {
  /** One attempt at the leader, wherever that is. */
  readonly attempt: (request: JoinRequest, wait: { readonly signal: AbortSignal }) => Promise<JoinAnswer>;
  readonly leader: () => HostAddress;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Joins the system, for as long as it takes the leader to come up; the waits between the attempts grow to 10 s.
 *
 * @returns the rank that the system has given the engine
 * @throws Fault when the system refuses the engine for good
 */
export async function joinSystem(request: JoinRequest, options: JoinSystemOptions): Promise<Rank> {
  const { attempt, leader, log, signal } = options;
  for (let waitMs = FIRST_DELAY_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_DELAY_MS)) {
    try {
      const { status, rank } = await attempt(request, { signal });
      if (status !== 0) throw faultDaosStatus(`join engine ${request.uuid}`, status);
      return parseRank(rank);
    } catch (error) {
      const fault: Fault = toFault(error);
      if (signal.aborted || !WORTH_ANOTHER_TRY.has(fault.code)) throw fault;
      log.info("the leader is not ready for a join yet", {
        leader: leader().host,
        reason: fault.message,
        waitMs,
      });
    }
    await delay(waitMs * (0.75 + Math.random() / 2), { signal });
  }
}
