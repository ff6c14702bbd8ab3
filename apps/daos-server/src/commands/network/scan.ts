import { ProcessCommandRunner } from "@daos/sys";
import { defineCommand } from "../../define-command.ts";
import type { GlobalValues } from "../../global-flags.ts";

/** `daos-server network scan`. @see DAOS 0.8.0 src/control/cmd/daos_server/network.go */
export const networkScanCommand = defineCommand({
  name: "network scan",
  summary: "List the fabric interfaces of this host that support a provider",
  examples: [
    { text: "Interfaces for the provider of a configuration", line: "network scan -o daos_server.yml" },
    { text: "All interfaces", line: "network scan --all" },
  ],
  flags: {
    provider: {
      type: "string",
      char: "p",
      value: "PROVIDER",
      summary: "only interfaces with this provider (default that of the configuration)",
    },
    all: { type: "boolean", char: "a", summary: "all providers" },
  },
  run: async ({ flags }) => {
    const provider = flags.all ? undefined : (flags.provider ?? (await configuredProvider(flags)));
    const [{ hostTools }, { NetworkProvider }] = await Promise.all([
      import("../../host-tools.ts"),
      import("@daos/network"),
    ]);
    const { log, signal } = await hostTools(flags);
    const runner = new ProcessCommandRunner();
    const interfaces = await new NetworkProvider({ runner, log }).scan(provider, { signal });
    const lines = interfaces.map(
      (found) =>
        `fabric_iface: ${found.device}\n  provider: ${found.provider}\n  pinned_numa_node: ${found.numaNode}`,
    );
    const none = `no interface supports ${provider ?? "any provider"}`;
    return { result: { provider, interfaces }, lines: lines.length === 0 ? [none] : lines };
  },
});

/** The provider of a configuration that is named; all providers without one. */
async function configuredProvider({
  config: file,
  configFrom,
}: Pick<GlobalValues, "config" | "configFrom">): Promise<string | undefined> {
  if (configFrom === "none" || configFrom === "search") return undefined;
  const { loadServerConfig } = await import("@daos/config");
  return (await loadServerConfig(file)).engines[0]?.provider;
}
