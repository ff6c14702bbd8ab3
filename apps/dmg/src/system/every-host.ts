import type { ControlClient } from "@daos/control-client";
import { Fault } from "@daos/fault";
import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import type { Connection } from "../connect.ts";
import { type Lookup, resolveHosts } from "./resolve-hosts.ts";

/** A client for every selected host. */
export interface EveryHost {
  readonly client: ControlClient;
  /** Why the hosts of the members are missing: no leader names them. */
  readonly unlisted: Fault | undefined;
}

/**
 * The hosts on the command line, or else the hosts of all members and those of the configuration. A name that resolves to the
 * address of a member is the same host.
 */
export async function everyHost(
  { client, named }: Pick<Connection, "client" | "named">,
  lookup?: Lookup,
): Promise<EveryHost> {
  if (named) return { client, unlisted: undefined };
  const { systemMemberQuery } = await import("@daos/control-client");
  try {
    const addresses = (await systemMemberQuery(client)).map(({ address }) => address);
    const selection = { hosts: client.hosts.map(formatHostAddress) };
    const { hosts = [] } = await resolveHosts(selection, async () => addresses, lookup);
    const all = [...new Set([...addresses, ...hosts])].map((host) => parseHostAddress(host));
    return { client: client.to(all), unlisted: undefined };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { client, unlisted: error };
  }
}
