import { printableLines } from "@daos/cli";
import type { Fault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { formatRankSet, type Rank } from "@daos/rank";
import { groupHosts } from "./group-hosts.ts";
import { causeKey } from "./same-cause.ts";

/** A failure, and its host if it has one. */
export interface HostFault {
  readonly host: HostAddress | undefined;
  /** The member on that host, if the failure concerns one. */
  readonly rank?: Rank | undefined;
  readonly fault: Fault;
}

/** A failure in the `errors` of `--json`. */
export interface FaultJson {
  readonly hosts: readonly string[];
  /** Absent when no members are concerned. */
  readonly ranks?: readonly number[];
  readonly domain: string;
  readonly code: number;
  readonly description: string;
  readonly reason: string | null;
  readonly resolution: string;
}

/**
 * Shows failures as text for stderr. Hosts and members with the same failure are grouped. Each group has the failure,
 * the hosts, the code and the resolution.
 */
export function showFaults(failures: readonly HostFault[], what: string): string {
  const local = failures
    .filter(({ host }) => host === undefined)
    .map(({ fault }) => showFault("", fault.message, fault));
  const hosts = failures.flatMap(({ host, fault, rank }) =>
    host === undefined ? [] : [{ host, value: { fault, rank, cause: causeKey(fault, { host, rank }) } }],
  );
  const groups = groupHosts(hosts, ({ cause }) => cause).map((group) => {
    const { fault, cause } = group.value;
    const members = hosts.flatMap(({ value }) => (value.cause === cause ? [value] : []));
    const text = members.length === 1 ? fault.message : `${what}: ${fault.reason ?? fault.description}`;
    const ranks = ranksOf(members);
    const label = ranks.length === 0 ? group.label : `${rankLabel(ranks)} (${group.label})`;
    return showFault(`${label}: `, text, fault);
  });
  return [...local, ...groups].join("\n");
}

/** Failures for `--json`. Hosts and members with the same failure are grouped. */
export function faultsToJson(failures: readonly HostFault[]): readonly FaultJson[] {
  const groups = Map.groupBy(failures, ({ host, fault, rank }) =>
    host === undefined ? fault : causeKey(fault, { host, rank }),
  );
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { domain, code, description, reason = null, resolution } = first.fault;
    const hosts = members.flatMap(({ host }) => (host === undefined ? [] : [formatHostAddress(host)]));
    const ranks = ranksOf(members);
    const about = { hosts: [...new Set(hosts)], ...(ranks.length > 0 && { ranks }) };
    return [{ ...about, domain, code, description, reason, resolution }];
  });
}

function ranksOf(failures: readonly Pick<HostFault, "rank">[]): readonly Rank[] {
  return failures.flatMap(({ rank }) => (rank === undefined ? [] : [rank])).sort((a, b) => a - b);
}

/** `rank 3`, `ranks 0-3,7`. */
function rankLabel(ranks: readonly Rank[]): string {
  return `rank${ranks.length === 1 ? "" : "s"} ${formatRankSet(ranks)}`;
}

function showFault(head: string, text: string, fault: Fault): string {
  const indented = (lines: string) => printableLines(lines).replaceAll("\n", "\n  ");
  return `dmg: ${head}${indented(text)} (${fault.domain} ${fault.code})\n  ${indented(fault.resolution)}`;
}
