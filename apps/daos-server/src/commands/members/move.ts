import { loadServerConfig } from "@daos/config";
import { formatHostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";
import { Flags } from "@oclif/core";
import { commandTools } from "../../command-tools.ts";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server members move`. */
export class MembersMove extends ServerCommand {
  static override readonly summary = "Move the members of a system with one access point to etcd";
  static override readonly description =
    "Run it once, on the host that was the only access point, with a configuration whose system_db is etcd, while no access point runs. The members go to etcd in one commit, and the file that they were in gets another name. What fails changes nothing, and can be repeated.";

  static override readonly flags = {
    "dry-run": Flags.boolean({ summary: "Check everything and show the members, but change nothing" }),
  };

  static override readonly examples = [
    "<%= config.bin %> members move -o /etc/daos/daos_server.yml --dry-run",
    "<%= config.bin %> members move -o /etc/daos/daos_server.yml",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(MembersMove);
    const config = await loadServerConfig(flags.config);
    const dryRun = flags["dry-run"];
    // Loaded here: the other commands do without etcd.
    const { moveToEtcd } = await import("@daos/election");
    const { from, movedFile, endpoints, members, wereThere } = await moveToEtcd(config, {
      dryRun,
      ...commandTools(flags),
    });
    if (flags.json) {
      const listed = members.map((member) => ({ ...member, address: formatHostAddress(member.address) }));
      this.log(JSON.stringify({ from, movedFile, endpoints, wereThere, members: listed }, null, 2));
      return;
    }
    for (const member of members) this.log(line(member));
    const what = `members of ${config.name}`;
    const etcd = `etcd (${endpoints.join(", ")}): ${members.length}`;
    if (movedFile === undefined) {
      this.log(wereThere ? `${what} that are in ${etcd}` : `${what} that can be moved to ${etcd}`);
      this.log(`nothing has been changed: they are in ${from}`);
      return;
    }
    this.log(wereThere ? `${what} that were in ${etcd}` : `${what} moved to ${etcd}`);
    this.log(`${movedFile}: the file they were in, not used any more`);
    this.log("next: start daos-server on every access point");
  }
}

function line({ rank, uuid, address, state, reason }: Member): string {
  const why = reason === "" ? "" : `: ${reason}`;
  return `rank ${rank}  ${uuid}  ${formatHostAddress(address)}  ${state}${why}`;
}
