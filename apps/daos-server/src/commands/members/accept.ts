import { countOf } from "@daos/fault";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";
import { listMember, memberLine } from "../../show-member.ts";

/** `daos-server members accept`. */
export const membersAcceptCommand = defineCommand({
  name: "members accept",
  summary: "Go on with a store of members that is not as this host has seen it before",
  description:
    "For a store that is missing, empty, older than before, or another one (failure 824), when it cannot be brought back and its members cannot be restored. Engines that it does not have are no members any more, and exclusions that it does not have are lost. Run it once, on an access point, while no access point leads. The copy of the members that this host has gets another name.",
  examples: [{ text: "On one access point", line: "members accept -o /etc/daos/daos_server.yml" }],
  flags: {},
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here: the other commands do without etcd.
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
