import { errorText, Fault, FaultCode } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";

/** This host's role in the management service. The superblock of its first engine records it. */
export type ReplicaRole = "bootstrap" | "replica" | "none";

/** Facts of the machine and the network that decide the role. */
export interface ReplicaRoleOptions {
  /** Port of this host's gRPC listener. */
  readonly port: number;
  /** All addresses of this host, as in `192.0.2.2` and `::1`. */
  readonly localAddresses: ReadonlySet<string>;
  /** The addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/** Every address of the loopback network is this host's, also 127.0.1.1, which no interface has and Debian's /etc/hosts names. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/**
 * The first access point bootstraps the management service; the others get replicas of it. An access point is this
 * host when one of its addresses is ours and the port is the same.
 *
 * @throws Fault when an access point's name cannot be resolved
 * @see DAOS 0.8.0 src/control/server/config.go CheckReplica
 */
export async function replicaRole(
  accessPoints: readonly HostAddress[],
  options: ReplicaRoleOptions,
): Promise<ReplicaRole> {
  const { port, localAddresses, resolve } = options;
  for (const [index, accessPoint] of accessPoints.entries()) {
    if (accessPoint.port !== port) continue;
    const addresses = await resolve(accessPoint.host).catch((error: unknown) => {
      throw faultUnresolved(accessPoint, error);
    });
    if (addresses.some((address) => localAddresses.has(address) || isLoopback(address)))
      return index === 0 ? "bootstrap" : "replica";
  }
  return "none";
}

function faultUnresolved(accessPoint: HostAddress, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.accessPointUnresolved,
    description: `the access point ${accessPoint.host} cannot be resolved to an address`,
    reason: errorText(cause),
    resolution: "correct access_points in the configuration, or add the name to DNS or /etc/hosts",
    cause,
  });
}
