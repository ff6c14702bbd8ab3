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

/** An engine that has answered, with its host. */
export interface AskedEngine extends EngineDevices {
  readonly host: HostAddress;
}

export interface AskedEngines {
  readonly client: ControlClient;
  /** The answers by host and index, without failed engines. */
  readonly engines: readonly AskedEngine[];
  readonly failures: readonly HostFault[];
}

/**
 * Queries the devices of all members' engines, or of the engines in the flags. The leader knows the hosts of the engines.
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

/** The answers of the engines as a text; empty when all have failed, because their devices are then unknown. */
export function ofEngines({ engines, failures }: Omit<AskedEngines, "client">, show: () => string): string {
  return engines.length === 0 && failures.length > 0 ? "" : show();
}

/** The host and rank of an engine, for a result. */
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
