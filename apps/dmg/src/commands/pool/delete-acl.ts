import { checkAclPrincipal } from "@daos/acl";
import { defineCommand } from "../../define-command.ts";
import { aclAnswer, poolFlag } from "../../pool/acl.ts";
import { choosePool } from "../../pool/choose-pool.ts";

/** `dmg pool delete-acl`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolDeleteACLCmd */
export const poolDeleteAclCommand = defineCommand({
  name: "pool delete-acl",
  alias: "da",
  summary: "Remove one principal from a pool's access control list",
  examples: [
    {
      text: "A user",
      line: "pool delete-acl --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10 -p u:ana@",
    },
    {
      text: "All other users",
      line: "pool delete-acl --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10 -p EVERYONE@",
    },
  ],
  flags: {
    pool: poolFlag,
    principal: {
      type: "string",
      char: "p",
      required: true,
      value: "PRINCIPAL",
      summary: "u:USER@, g:GROUP@, OWNER@, GROUP@ or EVERYONE@",
    },
  },
  run: async ({ flags, connect, waitFor }) => {
    checkAclPrincipal(flags.principal);
    const { client, uuid: pool } = await choosePool(flags.pool, { connect, waitFor });
    const { poolDeleteAcl } = await import("@daos/control-client");
    return aclAnswer(pool, await waitFor(poolDeleteAcl(client, pool, flags.principal)));
  },
});
