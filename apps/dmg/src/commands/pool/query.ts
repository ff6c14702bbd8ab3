import { formatFields } from "@daos/cli";
import { daosStatusNumber, faultDaosStatus } from "@daos/fault";
import { formatRankSet, parseRank } from "@daos/rank";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { WATCH_FLAG } from "../../global-flags.ts";
import { poolFlag } from "../../pool/acl.ts";
import { choosePool } from "../../pool/choose-pool.ts";
import { outageNotes, poolResult, recordedFields } from "../../pool/show-pool.ts";

/**
 * `dmg pool query`, as in later releases of DAOS. It shows what engines of release 0.8.0 report: they have no call for
 * the space and the health of a pool.
 */
export const poolQueryCommand = defineCommand({
  name: "pool query",
  summary: "Show what is recorded of a pool, its service replicas and its access control list",
  description:
    "Label, size, owner and ranks are as they were recorded when the pool was created. Engines of release 0.8.0 do not report a pool's free space, rebuild state or disabled targets. storage query usage shows the used storage of the ranks.",
  examples: [{ text: "One pool", line: "pool query --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10" }],
  flags: { pool: poolFlag, watch: WATCH_FLAG },
  run: async ({ flags, connect, waitFor }) => {
    const { client, system, uuid } = await choosePool(flags.pool, { connect, waitFor });
    const { listPools, poolGetAcl } = await import("@daos/control-client");
    const attempted = `query pool ${uuid}`;
    const { pools, outage } = await waitFor(listPools(client, { system }, attempted));
    const pool = pools.find((one) => one.uuid.toLowerCase() === uuid);
    if (pool === undefined) throw faultDaosStatus(attempted, daosStatusNumber("NONEXIST"));
    const isThere = outage === "" && (pool.state === "ready" || pool.state === "unknown");
    const acl = isThere ? await waitFor(poolGetAcl(client, uuid)) : undefined;
    const fields = [
      ...recordedFields(pool),
      ["Service replicas", formatRankSet(pool.svcReplicas.map(parseRank))],
      ["Access control", showAcl(acl)],
    ] as const;
    return success(
      { ...poolResult(pool), outage, acl: acl ?? [] },
      () => `Pool ${uuid}\n${formatFields(fields)}`,
      outageNotes(outage),
    );
  },
});

/** @param acl undefined when it cannot be queried */
function showAcl(acl: readonly string[] | undefined): string | readonly string[] {
  if (acl === undefined) return "unknown";
  return acl.length === 0 ? "the owner only" : acl;
}
