import { countOf } from "@daos/fault";
import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";
import { listMember, listPool, unreadableName } from "../../show-member.ts";

/** `daos-server members check`. */
export const membersCheckCommand = defineCommand({
  name: "members check",
  summary: "Check that all members and pools of the system can be read",
  description:
    "Reads the configured store, a file or etcd, and changes nothing. Servers may run. Lists members that cannot be read, and those that daos-server members repair has moved aside. The exit code is not 0 if a member cannot be read.",
  examples: [
    { text: "With the configuration of an access point", line: "members check -o /etc/daos/daos_server.yml" },
  ],
  flags: {},
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here, because the other commands do not need etcd.
    const { faultMembersUnreadable } = await import("@daos/member-store");
    const { checkMembers } = await import("../../repair-members.ts");
    const { where, members, pools, unreadable, unreadablePools, quarantined } = await checkMembers(
      config,
      await commandTools(flags),
    );
    const bad = [...unreadable, ...unreadablePools];
    return {
      result: {
        where,
        members: members.map(listMember),
        pools: pools.map(listPool),
        unreadable: bad,
        quarantined,
      },
      lines: [
        ...bad.map((one) => `cannot be read: ${unreadableName(one)}: ${one.reason}`),
        ...quarantined.map((one) => `moved aside before: ${unreadableName(one)}: ${one.reason}`),
        `${where}: ${countOf(members.length, "member")} can be read, ${unreadable.length} cannot`,
        `${where}: ${countOf(pools.length, "pool")} can be read, ${unreadablePools.length} cannot`,
      ],
      fault: bad.length > 0 ? faultMembersUnreadable(where, bad) : undefined,
    };
  },
});
