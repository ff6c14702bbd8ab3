import { defineCommand, formatTable, WATCH_FLAG, wellDone } from "@daos/dmg-kit";
import { formatRankSet, parseRank } from "@daos/rank";

/** `dmg pool list`, as later releases of DAOS call `system list-pools`. */
export const poolListCommand = defineCommand({
  name: "pool list",
  summary: "List the pools of the system",
  examples: [
    { text: "All pools", line: "pool list" },
    {
      text: "Their uuids, for a script",
      line: "pool list --json | jq -r .result.pools[].uuid",
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
