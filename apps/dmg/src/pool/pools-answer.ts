import { formatTable } from "@daos/cli";
import { formatRankSet, parseRank } from "@daos/rank";
import { type Answer, success } from "../answer.ts";
import type { CommandContext } from "../define-command.ts";
import { WATCH_FLAG } from "../global-flags.ts";

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
  const pools = await waitFor(listPools(client, { system }));
  const rows = pools.map(({ uuid, svcReplicas }) => [uuid, formatRankSet(svcReplicas.map(parseRank))]);
  return success({ pools }, (width) =>
    rows.length === 0
      ? "The system has no pools"
      : formatTable({ columns: ["Pool UUID", "Svc Replicas"], rows }, width),
  );
}
