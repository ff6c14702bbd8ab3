import { countOf } from "@daos/fault";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";
import { listMember, memberLine } from "../../show-member.ts";

/** `daos-server members accept`. */
export const membersAcceptCommand = defineCommand({
  name: "members accept",
  summary: "Accept a store of members that differs from the one that this host has seen",
  description:
    "For a store that is missing, empty, older than before, or a different one (failure 824), if neither the store nor its members can be restored. Engines that are not in the store are no longer members, and exclusions that are not in it are lost. Run it once, on an access point, while no access point leads. This host's copy of the members is renamed.",
  examples: [{ text: "On one access point", line: "members accept -o /etc/daos/daos_server.yml" }],
  flags: {},
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here, because the other commands do not need etcd.
    const { acceptStore } = await import("../../replace-members.ts");
    const { where, members, unreadable, copy } = await acceptStore(config, await commandTools(flags));
    return {
      result: { where, members: members.map(listMember), unreadable, copy },
      lines: [
        ...members.map(memberLine),
        `${where}: accepted with ${countOf(members.length, "member")}`,
        ...(unreadable === 0 ? [] : [`${unreadable} more cannot be read: see daos-server members check`]),
        ...(copy === undefined ? [] : [`${copy}: the members as this host saw them before`]),
      ],
    };
  },
});
