import type { ControlClient, HostResult } from "./control-client.ts";

/** Lists the fabric providers of every host. */
export function networkListProviders(client: ControlClient): AsyncGenerator<HostResult<readonly string[]>> {
  return client.eachHost({
    attempted: "list fabric providers",
    timeoutMs: 60_000,
    call: async ({ ctl }, options) => {
      const { provider } = await ctl.networkListProviders({}, options);
      return provider
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
    },
  });
}
