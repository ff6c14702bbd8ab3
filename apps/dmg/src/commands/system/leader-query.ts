import { printable } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { WATCH_FLAG } from "../../global-flags.ts";

/** `dmg system leader-query`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go leaderQueryCmd */
export const leaderQueryCommand = defineCommand({
  name: "system leader-query",
  alias: "l",
  summary: "Show the leader and the replicas of the management service",
  examples: [{ text: "The leader", line: "system leader-query" }],
  flags: { watch: WATCH_FLAG },
  run: async ({ connect, waitFor }) => {
    const { client, system } = await connect();
    const { leaderQuery } = await import("@daos/control-client");
    const { leader, replicas } = await waitFor(leaderQuery(client, { system }));
    return success(
      { leader: leader === "" ? null : leader, replicas },
      () =>
        `Current Leader: ${leader === "" ? "none" : printable(leader)}\n   Replica Set: ${replicas.map(printable).join(", ")}`,
    );
  },
});
