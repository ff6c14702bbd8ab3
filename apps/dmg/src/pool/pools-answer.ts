import { formatTable } from "@daos/cli";
import type { PoolEntry } from "@daos/control-client";
import { formatRankSet, parseRank } from "@daos/rank";
import { type Answer, success } from "../answer.ts";
import type { CommandContext } from "../define-command.ts";
import { WATCH_FLAG } from "../global-flags.ts";
import { outageNotes, poolResult, showPoolSize } from "./show-pool.ts";

/** The flags of a list of pools. */
export const POOLS_FLAGS = { watch: WATCH_FLAG } as const;

/**
 * Lists the pools of the system, for `dmg pool list` and for `dmg system list-pools` of release 0.8.0. @throws Fault
 */
export async function poolsAnswer({
  connect,
  waitFor,
}: Pick<CommandContext<typeof POOLS_FLAGS>, "connect" | "waitFor">): Promise<Answer> {
  const { client, system } = await connect();
  const { listPools } = await import("@daos/control-client");
  const { pools, outage } = await waitFor(listPools(client, { system }));
  const isRecorded = pools.some(({ state }) => state !== "unknown");
  return success(
    { pools: pools.map(poolResult), outage },
    (width) => {
      if (pools.length === 0) return "The system has no pools";
      const rows = pools.map((pool) => (isRecorded ? recordedRow(pool) : plainRow(pool)));
      const columns = isRecorded ? RECORDED : ["Pool UUID", "Svc Replicas"];
      return formatTable({ columns, rows }, width);
    },
    outageNotes(outage),
  );
}

const RECORDED = ["Label", "Pool UUID", "State", "Size per rank", "Svc Replicas", "Note"];

function recordedRow(pool: PoolEntry): readonly string[] {
  const [uuid = "", replicas = ""] = plainRow(pool);
  return [pool.label || "-", uuid, pool.state, showPoolSize(pool), replicas, pool.note];
}

/** Servers of release 0.8.0 report no more. */
function plainRow({ uuid, svcReplicas }: PoolEntry): readonly string[] {
  return [uuid, formatRankSet(svcReplicas.map(parseRank))];
}
