import type { Leadership } from "@daos/election";
import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import type { EngineReport } from "@daos/membership";
import { mgmt } from "@daos/proto";

const STATES: Readonly<Record<mgmt.ReportEnginesReq_State, EngineReport["state"]>> = {
  [mgmt.ReportEnginesReq_State.STARTING]: "starting",
  [mgmt.ReportEnginesReq_State.SERVING]: "serving",
  [mgmt.ReportEnginesReq_State.STOPPED]: "stopped",
  [mgmt.ReportEnginesReq_State.FAILED]: "failed",
};

/** The longest time that a host may let pass between its reports, ms. */
const LONGEST_INTERVAL_MS = 60_000;
/** Lines of one report that are kept. */
const MOST_WARNINGS = 32;
/** Characters of such a line that are kept: a message may have 4 MiB, and a thousand events are kept. */
const LONGEST_WARNING = 1024;

/** What a server should know of the system, as `host:port`. */
export interface ReportAnswer {
  /** Those that take part now. */
  readonly accessPoints: string[];
  readonly leader: string;
}

/**
 * Takes what a server says of its engines, on the leader; the host is the peer, whatever the report says.
 *
 * @throws Fault notLeader, systemNotReady
 */
export async function reportEngines(
  leadership: Pick<Leadership, "membership" | "silence" | "leader" | "accessPoints">,
  request: mgmt.ReportEnginesReq,
  peer: string,
): Promise<ReportAnswer> {
  const membership = leadership.membership();
  const host = { ...parseHostAddress(request.addr), ...(peer === "" ? {} : { host: peer }) };
  const address = formatHostAddress(host);
  // A host speaks for the engines that have joined on it, or it could have any number of others remembered.
  const uuids = request.engines
    .map(({ uuid }) => uuid)
    .filter((uuid) => {
      const member = membership.byUuid(uuid);
      return member !== undefined && formatHostAddress(member.address) === address;
    });
  leadership.silence().heard(host, uuids, Math.min(request.intervalMs, LONGEST_INTERVAL_MS));
  const reports = request.engines.map(({ uuid, incarnation, state, reason }) => ({
    uuid,
    incarnation,
    state: STATES[state] ?? "starting",
    reason,
  }));
  await membership.report(host, reports);
  for (const warning of request.warnings.slice(0, MOST_WARNINGS))
    membership.events.add("device_warning", warning.slice(0, LONGEST_WARNING), { address: host });
  const { leader, accessPoints } = leadership;
  return {
    accessPoints: accessPoints.map(({ address }) => formatHostAddress(address)),
    leader: leader === undefined ? "" : formatHostAddress(leader),
  };
}
