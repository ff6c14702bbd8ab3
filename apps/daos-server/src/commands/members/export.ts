import { countOf } from "@daos/fault";
import { writeFileAtomic } from "@daos/sys";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";

/** `daos-server members export`. */
export const membersExportCommand = defineCommand({
  name: "members export",
  summary: "Write the members of the system to a file, for daos-server members import",
  description:
    "Reads the configured store, a file or etcd, and changes nothing. Servers may run. The export is JSON with a version and a checksum, and is written to standard output or to the file in --output. It has ranks, identities, addresses and exclusions, and the labels, owners and sizes of pools.",
  examples: [
    {
      text: "Every night, on an access point",
      line: "members export -o /etc/daos/daos_server.yml --output /var/backups/daos-members.json",
    },
  ],
  flags: {
    output: {
      type: "string",
      value: "FILE",
      summary: "file to write; it is replaced",
      complete: "files",
    },
  },
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here, because the other commands do not need etcd.
    const { encodeExport, faultMembersUnreadable } = await import("@daos/member-store");
    const { checkMembers } = await import("../../repair-members.ts");
    const { where, members, pools, unreadable, unreadablePools } = await checkMembers(
      config,
      await commandTools(flags),
    );
    const bad = [...unreadable, ...unreadablePools];
    if (bad.length > 0) throw faultMembersUnreadable(where, bad);
    const exportedAt = new Date().toISOString();
    const text = encodeExport({ system: config.name, exportedAt, members, pools });
    const { output } = flags;
    const result = { where, exportedAt, output, export: JSON.parse(text) as object };
    if (output === undefined) return { result, lines: [text.trimEnd()] };
    await writeFileAtomic(output, text, { mode: 0o600 });
    return {
      result,
      lines: [
        `${output}: ${countOf(members.length, "member")}, ${countOf(pools.length, "pool")}, from ${where}`,
      ],
    };
  },
});
