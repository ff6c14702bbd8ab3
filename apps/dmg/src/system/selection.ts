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

/** Flags that select members, named as in later releases of DAOS. */
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
 * Reads the member flags: the given ranks, and the members on the given hosts; all members when neither is given.
 *
 * @returns a function from the default port to the selection
 * @throws Fault rankInvalid, hostlistInvalid
 */
export function parseSelection(flags: Chosen): (port: number) => MemberSelection {
  const ranks = flags.ranks === undefined ? [] : parseRankSet(flags.ranks);
  const hostsOf = (port: number) =>
    flags["rank-hosts"] === undefined ? [] : parseHostList(flags["rank-hosts"], port).map(formatHostAddress);
  hostsOf(DEFAULT_PORT);
  return (port) => ({ ranks, hosts: hostsOf(port) });
}

/** Requires a selection for an action that must not apply to all members. @throws Fault usage */
export function requireSelection(flags: Chosen, what: string): void {
  if (flags.ranks === undefined && flags["rank-hosts"] === undefined) {
    throw faultUsage(
      `no ranks to ${what} are named`,
      "name them with --ranks 0-3,7 or --rank-hosts node[1-4]; system query lists them",
    );
  }
}

/** The unknown ranks and hosts of a request, as failures. */
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
    // With the port, because a wrong port is a common cause.
    faults.push(
      faultMissing(attempted, `no member of the system is on ${showHosts(hosts, { defaultPort: 0 })}`),
    );
  }
  return faults;
}

/** Compresses control addresses to a host set. An address that cannot be parsed stays as it is. */
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
    description: `cannot ${attempted}`,
    reason,
    resolution: "list the members with: dmg system query --verbose",
  });
}
