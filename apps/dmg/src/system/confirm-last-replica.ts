import { confirmOnTerminal } from "@daos/cli";
import type { MemberStatus } from "@daos/control-client";
import { formatRankSet, parseRank } from "@daos/rank";
import type { CommandContext } from "../define-command.ts";
import { resolveHosts } from "./resolve-hosts.ts";
import { parseSelection, type SELECTION_FLAGS } from "./selection.ts";

/**
 * Asks for consent when the selected members have the only replicas of the management service: without a replica no engine
 * joins, and no pool can be created or destroyed. In a script it neither asks nor calls a server. When the servers cannot name
 * the members with a replica, it does not ask, because the request itself goes to the same servers.
 *
 * @throws Fault cancelled for any answer but "yes"
 */
export async function confirmLastReplica({
  flags,
  terminal,
  connect,
  waitFor,
}: Pick<
  CommandContext<typeof SELECTION_FLAGS>,
  "flags" | "terminal" | "connect" | "waitFor"
>): Promise<void> {
  if (terminal.ask === undefined) return;
  const { client, port, system } = await connect();
  const { leaderQuery, systemQuery } = await import("@daos/control-client");
  const find = async () => {
    const [{ members }, { replicas }] = await Promise.all([
      systemQuery(client),
      leaderQuery(client, { system }),
    ]);
    const addresses = async () => members.map(({ address }) => address);
    const [accessPoints, chosen] = await Promise.all([
      resolveHosts({ hosts: replicas }, addresses),
      resolveHosts(parseSelection(flags)(port), addresses),
    ]);
    return lastReplicas(members, new Set(accessPoints.hosts), {
      ranks: new Set(chosen.ranks),
      hosts: new Set(chosen.hosts),
    });
  };
  const ranks = await waitFor(find()).catch(() => []);
  if (ranks.length === 0) return;
  const which = formatRankSet(ranks.map((rank) => parseRank(rank)));
  await confirmOnTerminal(
    terminal,
    ranks.length === 1
      ? `Rank ${which} is the only one that has the management service: without it no engine joins and no pool can be created.`
      : `No rank but ${which} has the management service: without them no engine joins and no pool can be created.`,
  );
}

/**
 * The selected ranks with a replica of the management service, when no other rank in service has one. The first engine of an
 * access point has the replica.
 */
export function lastReplicas(
  members: readonly Pick<MemberStatus, "rank" | "address" | "state" | "engineNumber">[],
  accessPoints: ReadonlySet<string>,
  chosen: { readonly ranks: ReadonlySet<number>; readonly hosts: ReadonlySet<string> },
): readonly number[] {
  const replicas = members.filter(
    ({ address, state, engineNumber = 1 }) =>
      accessPoints.has(address) && engineNumber === 1 && state !== "excluded" && state !== "replaced",
  );
  const isChosen = ({ rank, address }: (typeof replicas)[number]) =>
    chosen.ranks.has(rank) || chosen.hosts.has(address);
  return replicas.every(isChosen) ? replicas.map(({ rank }) => rank) : [];
}
