import type { EngineConfig } from "@daos/config";
import type { NetworkProvider } from "@daos/network";

/**
 * Checks that the machine has the interface of each engine, with its provider and on its NUMA node.
 *
 * @returns the libfabric name of each interface
 * @throws Fault for the first interface that does not match
 */
export async function checkFabric(
  engines: readonly EngineConfig[],
  network: NetworkProvider,
  { signal }: { readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string | undefined>> {
  for (const { fabricIface, provider, pinnedNumaNode } of engines) {
    await network.check(fabricIface, provider, { signal });
    if (pinnedNumaNode !== undefined && provider !== "sm") {
      await network.checkNumaNode(fabricIface, pinnedNumaNode);
    }
  }
  const domains = new Map<string, string | undefined>();
  for (const { fabricIface } of engines) domains.set(fabricIface, await network.domainOf(fabricIface));
  return domains;
}
