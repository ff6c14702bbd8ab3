import { type FlagDefinitions, faultUsage } from "@daos/cli";
import type { MemberSelection, MissingMembers } from "@daos/control-client";
import { Fault, FaultCode } from "@daos/fault";
import {
  DEFAULT_PORT,
  type FormatHostSetOptions,
  formatHostAddress,
  formatHostSet,
  parseHostAddress,
  parseHostList,
} from "@daos/hostlist";
import { formatRankSet, parseRank, parseRankSet } from "@daos/rank";
import type { CommandContext } from "../define-command.ts";

/** Flags that choose members, with the names of later releases of DAOS. */
export const SELECTION_FLAGS = {
  ranks: {
    type: "string",
    char: "r",
    value: "RANKS",
    summary: "only these ranks, as in 0-3,7",
    complete: "ranks",
  },
  "rank-hosts": {
    type: "string",
    value: "HOSTS",
    summary: "only the ranks on these hosts, as in node[1-4]",
    joins: ",",
    complete: "hosts",
  },
} as const satisfies FlagDefinitions;

type Chosen = CommandContext<typeof SELECTION_FLAGS>["flags"];

/**
 * Reads the members that the flags choose: the ranks and those on the hosts; all when neither is given.
 *
 * @returns the selection, once the port is known of hosts that are named without one
 * @throws Fault rankInvalid, hostlistInvalid
 */
export function parseSelection(flags: Chosen): (port: number) => MemberSelection {
  const ranks = flags.ranks === undefined ? [] : parseRankSet(flags.ranks);
  const hostsOf = (port: number) =>
    flags["rank-hosts"] === undefined ? [] : parseHostList(flags["rank-hosts"], port).map(formatHostAddress);
  hostsOf(DEFAULT_PORT);
  return (port) => ({ ranks, hosts: hostsOf(port) });
}

/** @throws Fault usage when no member is chosen, for what must not mean all of them */
export function requireSelection(flags: Chosen, what: string): void {
  if (flags.ranks === undefined && flags["rank-hosts"] === undefined) {
    throw faultUsage(
      `no ranks to ${what} are named`,
      "name them with --ranks 0-3,7 or --rank-hosts node[1-4]; system query lists them",
    );
  }
}

/** What was asked for and is not there, as failures. */
export function missingFaults({ ranks, hosts }: MissingMembers, attempted: string): readonly Fault[] {
  const faults: Fault[] = [];
  if (ranks.length > 0) {
    const many = ranks.length > 1;
    faults.push(
      faultMissing(
        attempted,
        `the system has no rank${many ? "s" : ""} ${formatRankSet(ranks.map((rank) => parseRank(rank)))}`,
      ),
    );
  }
  if (hosts.length > 0) {
    // With the port, which may be what keeps them from being found.
    faults.push(
      faultMissing(attempted, `no member of the system is on ${showHosts(hosts, { defaultPort: 0 })}`),
    );
  }
  return faults;
}

/** Control addresses under a compressed host set; those that cannot be read stay as they are. */
export function showHosts(addresses: readonly string[], options?: FormatHostSetOptions): string {
  try {
    return formatHostSet(
      addresses.map((address) => parseHostAddress(address)),
      options,
    );
  } catch {
    return addresses.join(",");
  }
}

function faultMissing(attempted: string, reason: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnknown,
    description: attempted,
    reason,
    resolution: "list the members with: dmg system query --verbose",
  });
}
