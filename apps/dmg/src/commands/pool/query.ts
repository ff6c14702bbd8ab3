import { formatFields } from "@daos/cli";
import { daosStatusNumber, faultDaosStatus } from "@daos/fault";
import { formatRankSet, parseRank } from "@daos/rank";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { WATCH_FLAG } from "../../global-flags.ts";
import { parseUuid } from "../../parse-uuid.ts";
import { poolFlag } from "../../pool/acl.ts";

/**
 * `dmg pool query`, as in later releases of DAOS. It shows what engines of release 0.8.0 report: they have no call for
 * the space and the health of a pool.
 */
export const poolQueryCommand = defineCommand({
  name: "pool query",
  summary: "Show the service replicas and the access control list of a pool",
  description:
    "Engines of release 0.8.0 do not report a pool's size, free space, owner, rebuild state or disabled targets. storage query usage shows the used storage of the ranks.",
  examples: [{ text: "One pool", line: "pool query --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10" }],
  flags: { pool: poolFlag, watch: WATCH_FLAG },
  run: async ({ flags, connect, waitFor }) => {
    const uuid = parseUuid(flags.pool, "a pool");
    const { client, system } = await connect();
    const { listPools, poolGetAcl } = await import("@daos/control-client");
    const attempted = `query pool ${uuid}`;
    const pools = await waitFor(listPools(client, { system }, attempted));
    const pool = pools.find((one) => one.uuid.toLowerCase() === uuid);
    if (pool === undefined) throw faultDaosStatus(attempted, daosStatusNumber("NONEXIST"));
    const acl = await waitFor(poolGetAcl(client, uuid));
    const fields = [
      ["Service replicas", formatRankSet(pool.svcReplicas.map(parseRank))],
      ["Access control", acl.length === 0 ? "the owner only" : acl],
    ] as const;
    return success(
      { uuid, svcReplicas: pool.svcReplicas, acl },
      () => `Pool ${uuid}\n${formatFields(fields)}`,
    );
  },
});
