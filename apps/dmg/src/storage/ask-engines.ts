import type { FlagDefinitions } from "@daos/cli";
import type { ControlClient, EngineDevices, EngineDevicesRequest } from "@daos/control-client";
import type { Fault } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import type { CommandContext } from "../define-command.ts";
import type { HostFault } from "../output/show-faults.ts";
import { resolveHosts } from "../system/resolve-hosts.ts";
import { missingFaults, parseSelection, type SELECTION_FLAGS } from "../system/selection.ts";

type Context = Pick<
  CommandContext<typeof SELECTION_FLAGS & FlagDefinitions>,
  "flags" | "connect" | "collect" | "waitFor"
>;

/** An engine that has answered, and where it is. */
export interface AskedEngine extends EngineDevices {
  readonly host: HostAddress;
}

export interface AskedEngines {
  readonly client: ControlClient;
  /** By host and index; without those that failed. */
  readonly engines: readonly AskedEngine[];
  readonly failures: readonly HostFault[];
}

/**
 * Asks the engines of all members about their devices, or those of the ranks and hosts in the flags, wherever they are: the hosts
 * are those that the leader knows.
 *
 * @throws Fault when the leader does not answer
 */
export async function askEngines(
  { flags, connect, collect, waitFor }: Context,
  request: Omit<EngineDevicesRequest, "ranksOf">,
): Promise<AskedEngines> {
  const select = parseSelection(flags);
  const { client, port } = await connect();
  const { engineDevices, systemMemberQuery, systemQuery } = await import("@daos/control-client");
  const addresses = async () => (await systemMemberQuery(client)).map(({ address }) => address);
  const selection = await waitFor(resolveHosts(select(port), addresses));
  const { members, missing } = await waitFor(systemQuery(client, selection));
  const ranks = Map.groupBy(members, ({ address }) => address);
  const isAll = (selection.ranks ?? []).length === 0;
  const ranksOf = (host: HostAddress) =>
    isAll ? [] : (ranks.get(formatHostAddress(host)) ?? []).map(({ rank }) => rank);
  const hosts = [...ranks.keys()].map((address) => parseHostAddress(address));
  const { answers, failures } = await collect(
    client,
    engineDevices(client.to(hosts), { ...request, ranksOf }),
    (engines) => engines.flatMap(({ fault }): readonly Fault[] => (fault === undefined ? [] : [fault])),
  );
  const unknown = missingFaults(missing, "ask the engines about their devices");
  return {
    client,
    engines: answers.flatMap(({ host, value }) =>
      value.filter(({ fault }) => fault === undefined).map((engine) => ({ ...engine, host })),
    ),
    failures: [...failures, ...unknown.map((fault) => ({ host: undefined, fault }))],
  };
}

/** What the engines have answered, as a text; empty when all have failed: that they have nothing is not known then. */
export function ofEngines({ engines, failures }: Omit<AskedEngines, "client">, show: () => string): string {
  return engines.length === 0 && failures.length > 0 ? "" : show();
}

/** Where something is, for a result. */
export function placeOf({ host, rank }: AskedEngine): {
  readonly host: string;
  readonly rank: number | null;
} {
  return { host: formatHostAddress(host), rank: rank ?? null };
}

/** The rank of an engine in a table. */
export function showRank(rank: number | null): string {
  return rank === null ? "-" : `${rank}`;
}
