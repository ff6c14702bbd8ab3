import type { HostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import { parseRank, type Rank } from "@daos/rank";
import type { JoinRequest } from "../membership.ts";
import type { HostReport } from "../plan-report.ts";
import type { EngineReport } from "../plan-transition.ts";

/** A joined member that reports, as tests want it. */
export function memberOf(rank: number, change: Partial<Member> = {}): Member {
  return {
    uuid: `uuid-${rank}`,
    rank: parseRank(rank),
    address: { host: "10.0.0.1", port: 10001 },
    uri: `ofi+sockets://10.0.0.1:${31416 + rank}`,
    contexts: 2,
    state: "joined",
    reason: "",
    since: 1_700_000_000_000,
    incarnation: 1,
    faultDomain: "/rack0/node1",
    reports: true,
    ...change,
  };
}

/** The join request of {@link memberOf}'s engine when it joins again. */
export function joinOf(
  rank: number,
  change: Partial<Omit<JoinRequest, "rank">> & { readonly rank?: number } = {},
): JoinRequest {
  const { uuid, address, uri, contexts, faultDomain, reports } = memberOf(rank);
  const base = { uuid, address, uri, contexts, faultDomain, reports, recorded: false };
  return { ...base, ...change, rank: (change.rank ?? rank) as Rank };
}

/** A report of engines that serve in their first incarnation, unless `change` differs. */
export function reportOf(
  host: HostAddress,
  engines: readonly Partial<EngineReport>[],
  configured?: number,
): HostReport {
  const serving = {
    uuid: undefined,
    instance: undefined,
    incarnation: 1,
    state: "serving",
    reason: "",
  } as const;
  return { host, engines: engines.map((engine) => ({ ...serving, ...engine })), configured };
}
