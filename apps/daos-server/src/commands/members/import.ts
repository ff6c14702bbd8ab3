import { Fault, FaultCode } from "@daos/fault";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";

/** `daos-server members import`. */
export const membersImportCommand = defineCommand({
  name: "members import",
  summary: "Write the members of an export to the store of the system",
  description:
    "Run it on an access point while no access point leads. Every member is checked, and all are written in one commit. A store with members is refused unless --force is given. A store that is missing, empty or older than before is accepted. A damaged members' file is renamed.",
  examples: [
    { text: "Look first", line: "members import -o /etc/daos/daos_server.yml --dry-run daos-members.json" },
  ],
  flags: {
    "dry-run": {
      type: "boolean",
      summary: "read and check the export and show the members, but change nothing",
    },
    force: { type: "boolean", summary: "replace the members that the store has" },
  },
  args: "FILE",
  run: async ({ flags, args }) => {
    const [from, ...more] = args;
    if (from === undefined || more.length > 0) throw faultFile(args.length);
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here, because the other commands do not need etcd.
    const { importMembers } = await import("../../import-members.ts");
    return importMembers(config, {
      from,
      force: flags.force,
      dryRun: flags["dry-run"],
      ...(await commandTools(flags)),
    });
  },
});

function faultFile(count: number): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.usage,
    description: `members import takes one FILE, not ${count}`,
    resolution: "give a file that daos-server members export wrote",
  });
}
