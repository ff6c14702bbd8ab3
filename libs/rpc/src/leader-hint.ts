import { Fault, FaultCode } from "@daos/fault";

/**
 * The fault of a host that does not lead, for a request that only the management service's leader can handle.
 *
 * @param here the host that was called, `host:port`
 * @param leader the leader, `host:port`; absent while there is none
 * @see DAOS 0.8.0 src/control/server/mgmt_svc.go checkIsMSReplica
 */
export function faultNotLeader(here: string, leader: string | undefined): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.notLeader,
    description: `${here} is not the leader of the management service`,
    reason: leader === undefined ? "no leader is known at the moment" : `try ${leader}`,
    resolution:
      leader === undefined
        ? "wait until a majority of the access points is up, then try again"
        : `send the request to ${leader}`,
    leader,
  });
}

/**
 * The leader named in a refusal, as `host:port`: from the fault's field, or from the text of release 0.8.0, which has no
 * fields (`node2:10001 is not an access point, try node1:10001`). Undefined for any other fault.
 */
export function leaderHint(fault: Fault): string | undefined {
  if (fault.leader !== undefined) return fault.leader;
  const text = fault.message;
  const refused =
    fault.code === FaultCode.notLeader ||
    fault.code === FaultCode.notAccessPoint ||
    /not (?:an |the )?(?:access point|leader|MS)/i.test(text);
  return refused ? /\btry (\[[\da-f:.%]+\]:\d+|[\w.-]+:\d+)/i.exec(text)?.[1] : undefined;
}
