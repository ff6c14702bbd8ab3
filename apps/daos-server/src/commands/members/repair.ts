import { loadServerConfig } from "@daos/config";
import { commandTools } from "../../command-tools.ts";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server members repair`. */
export class MembersRepair extends ServerCommand {
  static override readonly summary = "Move members that cannot be read aside";
  static override readonly description =
    "Run it while no access point runs, with the configuration of an access point. What cannot be read is moved into the quarantine of the same store, where daos-server members check --json shows it; everything else stays as it is. An engine whose member was moved aside may join again; one that was excluded has to be excluded again first.";

  static override readonly examples = ["<%= config.bin %> members repair -o /etc/daos/daos_server.yml"];

  async run(): Promise<void> {
    const { flags } = await this.parse(MembersRepair);
    const config = await loadServerConfig(flags.config);
    // Loaded here: the other commands do without etcd.
    const { repairMembers } = await import("../../repair-members.ts");
    const { where, moved } = await repairMembers(config, commandTools(flags));
    if (flags.json) {
      this.log(JSON.stringify({ where, moved }, null, 2));
      return;
    }
    for (const { uuid, reason } of moved) this.log(`moved aside: engine ${JSON.stringify(uuid)}: ${reason}`);
    this.log(
      moved.length === 0 ? `${where}: all members can be read` : `${where}: ${moved.length} moved aside`,
    );
  }
}
