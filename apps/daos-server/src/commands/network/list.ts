import { NetworkProvider } from "@daos/network";
import { ProcessCommandRunner } from "@daos/sys";
import { hostTools, toJson } from "../../host-tools.ts";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server network list`. */
export class NetworkList extends ServerCommand {
  static override readonly summary = "List the names of the fabric providers";

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkList);
    const { log } = await hostTools(flags);
    const providers = new NetworkProvider({ runner: new ProcessCommandRunner(), log }).listProviders();
    this.log(flags.json ? toJson({ providers }) : providers.join("\n"));
  }
}
