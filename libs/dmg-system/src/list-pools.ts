import { defineCommand, formatTable, WATCH_FLAG, wellDone } from "@daos/dmg-kit";
import { formatRankSet, parseRank } from "@daos/rank";

/** `dmg system list-pools`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemListPoolsCmd */
export const listPoolsCommand = defineCommand({
  name: "system list-pools",
  alias: "p",
  summary: "List the pools of the system",
  examples: [
    { text: "All pools", line: "system list-pools" },
    {
      text: "Their uuids, for a script",
      line: "system list-pools --json | jq -r .result.pools[].uuid",
    },
  ],
  flags: { watch: WATCH_FLAG },
  run: async ({ connect, waitFor }) => {
    const { client, system } = await connect();
    const { listPools } = await import("@daos/control-client");
    const pools = await waitFor(listPools(client, { system }));
    const rows = pools.map(({ uuid, svcReplicas }) => [uuid, formatRankSet(svcReplicas.map(parseRank))]);
    return wellDone({ pools }, (width) =>
      rows.length === 0
        ? "The system has no pools"
        : formatTable({ columns: ["Pool UUID", "Svc Replicas"], rows }, width),
    );
  },
});
