import { commandTools } from "../../command-tools.ts";
import { defineCommand } from "../../define-command.ts";
import { unreadableName } from "../../show-member.ts";

/** `daos-server members repair`. */
export const membersRepairCommand = defineCommand({
  name: "members repair",
  summary: "Move unreadable members and pools aside",
  description:
    "Run it while no access point runs, with the configuration of an access point. Unreadable members and pools are moved to the quarantine of the same store, where daos-server members check --json shows them. All others stay unchanged. An engine whose member was moved aside may join again. If it was excluded, exclude it again first.",
  examples: [{ text: "While no access point runs", line: "members repair -o /etc/daos/daos_server.yml" }],
  flags: {},
  run: async ({ flags }) => {
    const { loadServerConfig } = await import("@daos/config");
    const config = await loadServerConfig(flags.config);
    // Loaded here, because the other commands do not need etcd.
    const { repairMembers } = await import("../../repair-members.ts");
    const { where, moved } = await repairMembers(config, await commandTools(flags));
    const total =
      moved.length === 0 ? `${where}: all members can be read` : `${where}: ${moved.length} moved aside`;
    return {
      result: { where, moved },
      lines: [...moved.map((one) => `moved aside: ${unreadableName(one)}: ${one.reason}`), total],
    };
  },
});
