import type { ControlClient, HostResult } from "./control-client.ts";

/** A network interface together with one fabric provider that it supports. */
export interface FabricInterface {
  readonly provider: string;
  readonly device: string;
  readonly numaNode: number;
}

/** Lists the fabric interfaces of every host, for one provider or (empty) for all. */
export function networkScan(
  client: ControlClient,
  request: { readonly provider: string },
): AsyncGenerator<HostResult<readonly FabricInterface[]>> {
  return client.eachHost({
    attempted: "scan the network",
    timeoutMs: 60_000,
    call: async ({ ctl }, options) => {
      const found: FabricInterface[] = [];
      for await (const { provider, device, numanode } of ctl.networkScanDevices(request, options)) {
        found.push({ provider, device, numaNode: numanode });
      }
      return found;
    },
  });
}
