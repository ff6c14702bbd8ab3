import { isLoopback } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";
import { abortable } from "@daos/sys";

export interface MayDirectOptions {
  /** The configured access points, current and former leaders, and the leader, at the time of the call. */
  readonly hosts: () => readonly HostAddress[];
  /** All addresses of this host. */
  readonly localAddresses: () => ReadonlySet<string>;
  /** The addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/**
 * Whether the server at an IP address may direct the ranks of this host. The leader, the access points and this host itself
 * may. Names are resolved for each call. A name that does not resolve is ignored.
 */
export function mayDirect({ hosts, localAddresses, resolve }: MayDirectOptions) {
  return async (address: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> => {
    signal.throwIfAborted();
    if (isLoopback(address) || localAddresses().has(address)) return true;
    const names = new Set(hosts().map(({ host }) => host));
    if (names.has(address)) return true;
    const lookups = [...names].map((name) => resolve(name).catch((): readonly string[] => []));
    return (await abortable(Promise.all(lookups), signal)).flat().includes(address);
  };
}
