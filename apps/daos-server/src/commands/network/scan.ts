import { loadServerConfig } from "@daos/config";
import { NetworkProvider } from "@daos/network";
import { ProcessCommandRunner } from "@daos/sys";
import { Flags } from "@oclif/core";
import { hostTools, toJson } from "../../host-tools.ts";
import { DEFAULT_CONFIG, ServerCommand } from "../../server-command.ts";

/** `daos-server network scan`. @see DAOS 0.8.0 src/control/cmd/daos_server/network.go */
export class NetworkScan extends ServerCommand {
  static override readonly summary = "List the fabric interfaces of this host that support a provider";

  static override readonly flags = {
    provider: Flags.string({
      char: "p",
      summary: "Only interfaces with this provider (default that of the configuration)",
      helpValue: "PROVIDER",
    }),
    all: Flags.boolean({ char: "a", summary: "All providers" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkScan);
    const provider = flags.all ? undefined : (flags.provider ?? (await this.#configured(flags.config)));
    const { log, signal } = await hostTools(flags);
    const found = await new NetworkProvider({ runner: new ProcessCommandRunner(), log }).scan(provider, {
      signal,
    });
    if (flags.json) this.log(toJson({ provider, interfaces: found }));
    else {
      for (const { device, numaNode, provider: supported } of found) {
        this.log(`fabric_iface: ${device}\n  provider: ${supported}\n  pinned_numa_node: ${numaNode}`);
      }
      if (found.length === 0) this.log(`no interface supports ${provider ?? "any provider"}`);
    }
  }

  /** The provider of a configuration that is named; all providers without one. */
  async #configured(file: string): Promise<string | undefined> {
    if (file === DEFAULT_CONFIG) return undefined;
    return (await loadServerConfig(file)).engines[0]?.provider;
  }
}
