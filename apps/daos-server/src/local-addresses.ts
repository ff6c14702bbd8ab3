import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";

/** All IP addresses of this host. */
export function localAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces())
      .flat()
      .filter((entry) => entry !== undefined)
      .map((entry) => entry.address),
  );
}

/** The IP addresses of a host name, IPv4 first. @throws the resolver's error */
export async function resolveHost(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, order: "ipv4first" });
  return found.map((entry) => entry.address);
}
