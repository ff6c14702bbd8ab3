import { defineCommand } from "../../define-command.ts";
import { aclAnswer, poolFlag } from "../../pool/acl.ts";
import { choosePool } from "../../pool/choose-pool.ts";

/** `dmg pool get-acl`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolGetACLCmd */
export const poolGetAclCommand = defineCommand({
  name: "pool get-acl",
  alias: "ga",
  summary: "Show the access control list of a pool",
  examples: [
    {
      text: "Keep it in a file",
      line: "pool get-acl --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10 > pool.acl",
    },
  ],
  flags: { pool: poolFlag },
  run: async ({ flags, connect, waitFor }) => {
    const { client, uuid: pool } = await choosePool(flags.pool, { connect, waitFor });
    const { poolGetAcl } = await import("@daos/control-client");
    return aclAnswer(pool, await waitFor(poolGetAcl(client, pool)));
  },
});
