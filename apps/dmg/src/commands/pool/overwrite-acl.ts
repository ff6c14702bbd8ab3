import { faultAcl } from "@daos/acl";
import { defineCommand } from "../../define-command.ts";
import { aclAnswer, aclFileFlag, poolFlag } from "../../pool/acl.ts";
import { parseAclFile } from "../../pool/acl-file.ts";
import { choosePool } from "../../pool/choose-pool.ts";

/** `dmg pool overwrite-acl`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolOverwriteACLCmd */
export const poolOverwriteAclCommand = defineCommand({
  name: "pool overwrite-acl",
  alias: "oa",
  summary: "Replace the access control list of a pool",
  examples: [
    {
      text: "Take the list from a file",
      line: "pool overwrite-acl --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10 -a pool.acl",
    },
  ],
  flags: {
    pool: poolFlag,
    "acl-file": { ...aclFileFlag, required: true },
  },
  run: async ({ flags, connect, waitFor }) => {
    const acl = await parseAclFile(flags["acl-file"]);
    if (acl.length === 0) throw faultAcl(`the ACL file ${flags["acl-file"]} has no entry`, undefined);
    const { client, uuid: pool } = await choosePool(flags.pool, { connect, waitFor });
    const { poolOverwriteAcl } = await import("@daos/control-client");
    return aclAnswer(pool, await waitFor(poolOverwriteAcl(client, pool, acl)));
  },
});
