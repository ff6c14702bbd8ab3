import { formatTable } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { WATCH_FLAG } from "../../global-flags.ts";

/** `dmg system member-query`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemMemberQueryCmd */
export const systemMemberQueryCommand = defineCommand({
  name: "system member-query",
  alias: "q",
  summary: "List the members of the system, in the format of release 0.8.0",
  examples: [{ text: "All members", line: "system member-query" }],
  flags: { watch: WATCH_FLAG },
  run: async ({ connect, waitFor }) => {
    const { client } = await connect();
    const { systemMemberQuery } = await import("@daos/control-client");
    const members = await waitFor(systemMemberQuery(client));
    const rows = members.map(({ rank, uuid, address }) => [`${rank}`, uuid, address]);
    return success({ members }, (width) =>
      rows.length === 0
        ? "The system has no members"
        : formatTable({ columns: ["Rank", "UUID", "Control Address"], rows }, width),
    );
  },
});
