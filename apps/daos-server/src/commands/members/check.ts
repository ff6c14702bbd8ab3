import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";
import { listMember } from "../../show-member.ts";

/** `daos-server members check`. */
export const membersCheckCommand = defineCommand({
  name: "members check",
  summary: "Look whether all members of the system can be read",
  description:
    "Reads the store that the configuration names, a file or etcd, and changes nothing; servers may run. Lists members that cannot be read, and those that daos-server members repair has moved aside. The exit code is not 0 when there are members that cannot be read.",
  examples: [
    { text: "With the configuration of an access point", line: "members check -o /etc/daos/daos_server.yml" },
  ],
  flags: {},
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here: the other commands do without etcd.
    const { faultMembersUnreadable } = await import("@daos/member-store");
    const { checkMembers } = await import("../../repair-members.ts");
    const { where, members, unreadable, quarantined } = await checkMembers(config, await commandTools(flags));
    return {
      result: {
        where,
        members: members.map(listMember),
        unreadable,
        quarantined,
      },
      lines: [
        ...unreadable.map(({ uuid, reason }) => `cannot be read: engine ${JSON.stringify(uuid)}: ${reason}`),
        ...quarantined.map(
          ({ uuid, reason }) => `moved aside before: engine ${JSON.stringify(uuid)}: ${reason}`,
        ),
        `${where}: ${members.length} members can be read, ${unreadable.length} cannot`,
      ],
      fault: unreadable.length > 0 ? faultMembersUnreadable(where, unreadable) : undefined,
    };
  },
});
