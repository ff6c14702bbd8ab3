import { faultUsage, formatTable } from "@daos/cli";
import type { MemberState, MemberStatus } from "@daos/control-client";
import { formatRankSet, parseRank } from "@daos/rank";
import type { Answer } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { WATCH_FLAG } from "../../global-flags.ts";
import { hostNames } from "../../system/host-names.ts";
import { resolveHosts } from "../../system/resolve-hosts.ts";
import { missingFaults, parseSelection, SELECTION_FLAGS } from "../../system/selection.ts";
import { STATES, showState, showTime } from "../../system/show-state.ts";

/** `dmg system query`, as in later releases of DAOS: the state of the members. */
export const systemQueryCommand = defineCommand({
  name: "system query",
  summary: "Show the states of the system's members (engines)",
  description:
    "Members in the same state for the same reason share one line. A server of release 0.8.0 reports all members, without their states.",
  examples: [
    { text: "All members", line: "system query" },
    { text: "Some members, with all details", line: "system query --ranks 0-3,7 --verbose" },
    { text: "Members that need attention", line: "system query --not-ok" },
    { text: "Members that are out of service", line: "system query --with-states stopped,excluded" },
    {
      text: "The members on four hosts, every 5 seconds",
      line: "system query --rank-hosts node[1-4] --watch 5",
    },
  ],
  flags: {
    ...SELECTION_FLAGS,
    "not-ok": { type: "boolean", summary: "only members that are not joined", excludes: "with-states" },
    "with-states": {
      type: "string",
      value: "STATES",
      summary: "only members in these states, as in stopped,excluded",
      joins: ",",
    },
    verbose: {
      type: "boolean",
      char: "v",
      summary: "one line for each member, with all details and the names of hosts",
    },
    watch: WATCH_FLAG,
  },
  run: async ({ flags, connect, waitFor }): Promise<Answer> => {
    const select = parseSelection(flags);
    const isWanted = parseStates(flags["with-states"], flags["not-ok"]);
    const { client, port } = await connect();
    const { systemMemberQuery, systemQuery } = await import("@daos/control-client");
    const addresses = async () => (await systemMemberQuery(client)).map(({ address }) => address);
    const selection = await waitFor(resolveHosts(select(port), addresses));
    const { members: all, missing } = await waitFor(systemQuery(client, selection));
    const members = all.filter(({ state }) => isWanted(state));
    const names = flags.verbose ? await hostNames(members.map(({ address }) => address)) : new Map();
    return {
      result: { members: members.map((member) => toJson(member, names)), missing },
      text: (width) => {
        if (members.length > 0)
          return flags.verbose ? verboseTable(members, names, width) : stateTable(members, width);
        if (missing.ranks.length + missing.hosts.length > 0) return "";
        return all.length === 0 ? "The system has no members" : "No members are in these states";
      },
      anySucceeded: all.length > 0,
      failures: missingFaults(missing, "query the system").map((fault) => ({ host: undefined, fault })),
    };
  },
});

/** The states to show. The members of a server of release 0.8.0 have none: `unknown`. @throws Fault usage */
function parseStates(text: string | undefined, notOk: boolean): (state: MemberState) => boolean {
  if (notOk) return (state) => state !== "joined";
  if (text === undefined) return () => true;
  const wanted = text
    .toLowerCase()
    .split(",")
    .map((word) => word.trim());
  for (const word of wanted)
    if (!STATES.includes(word))
      throw faultUsage(`"${word}" is not a state of members`, `the states are ${STATES.join(", ")}`);
  return (state) => wanted.includes(state);
}

function stateTable(members: readonly MemberStatus[], width: number): string {
  const groups = Map.groupBy(members, ({ state, reason }) => JSON.stringify([state, reason]));
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const ranks = formatRankSet(group.map(({ rank }) => parseRank(rank)));
    return [[ranks, `${group.length}`, showState(first.state), first.reason]];
  });
  return formatTable({ columns: ["Rank", "Count", "State", "Reason"], rows }, width);
}

type Names = ReadonlyMap<string, string>;

function verboseTable(members: readonly MemberStatus[], names: Names, width: number): string {
  const columns = [
    "Rank",
    "UUID",
    "Control Address",
    // An empty column is omitted.
    ...(names.size > 0 ? ["Host"] : []),
    "Fault Domain",
    "State",
    "Reason",
    "Since",
    "Incarnation",
  ];
  const rows = members.map((member) => [
    `${member.rank}`,
    member.uuid,
    member.address,
    ...(names.size > 0 ? [names.get(member.address) ?? "-"] : []),
    member.faultDomain,
    showState(member.state),
    member.reason,
    showTime(member.since),
    member.since === undefined ? "-" : `${member.incarnation}`,
  ]);
  return formatTable({ columns, rows }, width);
}

function toJson({ since, ...member }: MemberStatus, names: Names) {
  const host = names.get(member.address);
  return {
    ...member,
    ...(host === undefined ? {} : { host }),
    since: since === undefined ? null : since.toISOString(),
  };
}
