import { checkAclEntry } from "@daos/acl";
import { faultUsage } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";
import { aclAnswer, aclFileFlag, poolFlag } from "../../pool/acl.ts";
import { parseAclFile } from "../../pool/acl-file.ts";
import { choosePool } from "../../pool/choose-pool.ts";

/** `dmg pool update-acl`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolUpdateACLCmd */
export const poolUpdateAclCommand = defineCommand({
  name: "pool update-acl",
  alias: "ua",
  summary: "Add or change entries of a pool's access control list",
  examples: [
    {
      text: "Let one more user read",
      line: "pool update-acl --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10 -e A::ana@:r",
    },
  ],
  flags: {
    pool: poolFlag,
    "acl-file": { ...aclFileFlag, excludes: "entry" },
    entry: { type: "string", char: "e", value: "ENTRY", summary: "one entry, such as A::ana@:rw" },
  },
  run: async ({ flags, connect, waitFor }) => {
    const entries = await readEntries(flags.entry, flags["acl-file"]);
    const { client, uuid: pool } = await choosePool(flags.pool, { connect, waitFor });
    const { poolUpdateAcl } = await import("@daos/control-client");
    return aclAnswer(pool, await waitFor(poolUpdateAcl(client, pool, entries)));
  },
});

async function readEntries(entry: string | undefined, file: string | undefined): Promise<readonly string[]> {
  if (entry !== undefined) {
    checkAclEntry(entry);
    return [entry];
  }
  if (file === undefined)
    throw faultUsage(
      "--entry or --acl-file is missing",
      "give an entry with --entry, or a file with --acl-file",
    );
  return parseAclFile(file);
}
