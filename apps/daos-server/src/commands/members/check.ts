import { loadServerConfig } from "@daos/config";
import { formatHostAddress } from "@daos/hostlist";
import { faultMembersUnreadable } from "@daos/member-store";
import { commandTools } from "../../command-tools.ts";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server members check`. */
export class MembersCheck extends ServerCommand {
  static override readonly summary = "Look whether all members of the system can be read";
  static override readonly description =
    "Reads the store that the configuration names, a file or etcd, and changes nothing; servers may run. Lists members that cannot be read, and those that daos-server members repair has moved aside. The exit code is not 0 when there are members that cannot be read.";

  static override readonly examples = ["<%= config.bin %> members check -o /etc/daos/daos_server.yml"];

  async run(): Promise<void> {
    const { flags } = await this.parse(MembersCheck);
    const config = await loadServerConfig(flags.config);
    // Loaded here: the other commands do without etcd.
    const { checkMembers } = await import("../../repair-members.ts");
    const { where, members, unreadable, quarantined } = await checkMembers(config, commandTools(flags));
    if (flags.json) {
      const listed = members.map((member) => ({ ...member, address: formatHostAddress(member.address) }));
      this.log(JSON.stringify({ where, members: listed, unreadable, quarantined }, null, 2));
    } else {
      for (const { uuid, reason } of unreadable)
        this.log(`cannot be read: engine ${JSON.stringify(uuid)}: ${reason}`);
      for (const { uuid, reason } of quarantined)
        this.log(`moved aside before: engine ${JSON.stringify(uuid)}: ${reason}`);
      this.log(`${where}: ${members.length} members can be read, ${unreadable.length} cannot`);
    }
    if (unreadable.length > 0) throw faultMembersUnreadable(where, unreadable);
  }
}
