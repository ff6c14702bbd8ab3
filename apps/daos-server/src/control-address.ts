import { isIP } from "node:net";
import type { ServerConfig } from "@daos/config";
import { isLoopback } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";
import { faultLoopback } from "./faults.ts";

export interface ControlAddressOptions {
  readonly config: Pick<ServerConfig, "port" | "accessPoints" | "systemDb" | "listenAddress">;
  readonly isAccessPoint: boolean;
  /** All addresses of this host. */
  readonly localAddresses: ReadonlySet<string>;
  /** The addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/**
 * The control address of this host for other hosts: `listen_address`, or on an access point its own resolved entry. An address
 * outside the loopback is preferred, unless the entry itself names the loopback: `localhost` or `127.0.0.2`.
 */
export async function controlAddress(options: ControlAddressOptions): Promise<HostAddress> {
  const { config, isAccessPoint, localAddresses, resolve } = options;
  const { port, listenAddress } = config;
  if (listenAddress !== undefined && !isWildcard(listenAddress)) return { host: listenAddress, port };
  const outside = outsideAddress(localAddresses);
  if (isAccessPoint) {
    for (const accessPoint of config.accessPoints) {
      if (accessPoint.port !== port) continue;
      const addresses = await resolve(accessPoint.host);
      const own = addresses.filter((address) => localAddresses.has(address) || isLoopback(address));
      const [first] = own;
      if (first === undefined) continue;
      const found = own.find((address) => !isLoopback(address));
      return { host: found ?? (meansLoopback(accessPoint.host) ? first : (outside ?? first)), port };
    }
  }
  return { host: outside ?? "127.0.0.1", port };
}

/**
 * An address outside the loopback, IPv4 before IPv6. Link-local IPv6 addresses are excluded, because they are valid on one link
 * only.
 */
function outsideAddress(localAddresses: ReadonlySet<string>): string | undefined {
  const all = [...localAddresses].filter((address) => !isLoopback(address) && !/^fe[89ab]/i.test(address));
  return all.find((address) => !address.includes(":")) ?? all[0];
}

/** Whether a socket at this address accepts connections to every address of the host. */
function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/**
 * Access points that elect a leader publish their addresses in etcd. All access points whose names resolve to the loopback
 * would publish the same address.
 *
 * @throws Fault accessPointLoopback
 */
export async function refuseLoopback({
  config: { systemDb, accessPoints },
  resolve,
}: Pick<ControlAddressOptions, "config" | "resolve">): Promise<void> {
  if (systemDb.kind !== "etcd" || accessPoints.length < 2) return;
  const names = accessPoints.map(({ host }) => host).filter((host) => !meansLoopback(host));
  await Promise.all(
    names.map(async (name) => {
      // An unknown name is a different mistake, perhaps on another host only.
      const addresses = await resolve(name).catch(() => []);
      const found = addresses.every(isLoopback) ? addresses[0] : undefined;
      if (found !== undefined) throw faultLoopback(name, found);
    }),
  );
}

/** Whether the name explicitly selects the loopback, as for several servers on one machine. */
function meansLoopback(host: string): boolean {
  return isIP(host) !== 0 || /^(?:.+\.)?localhost$/i.test(host);
}
