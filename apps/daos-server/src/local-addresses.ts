import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { faultAddressesUnknown } from "./faults.ts";

/** All IP addresses of this host. @throws Fault addressesUnknown when the process may not ask the kernel */
export function localAddresses(read: typeof networkInterfaces = networkInterfaces): ReadonlySet<string> {
  let found: ReturnType<typeof networkInterfaces>;
  try {
    found = read();
  } catch (error) {
    throw faultAddressesUnknown(error);
  }
  return new Set(
    Object.values(found)
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
