import { confirmOnTerminal } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { parseUuid } from "../../parse-uuid.ts";
import { poolFlag } from "../../pool/acl.ts";

/** `dmg pool destroy`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolDestroyCmd */
export const poolDestroyCommand = defineCommand({
  name: "pool destroy",
  alias: "d",
  summary: "Destroy a pool and its data",
  description: "On a terminal it asks for consent, unless --force is given.",
  examples: [
    {
      text: "Destroy one pool",
      line: "pool destroy --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10",
    },
  ],
  flags: {
    pool: poolFlag,
    force: {
      type: "boolean",
      char: "f",
      summary: "also while clients are connected, and without a question",
    },
    sys: {
      type: "string",
      char: "S",
      value: "NAME",
      summary: "system name (default that of the configuration file)",
    },
  },
  run: async ({ flags, terminal, connect, waitFor }) => {
    const uuid = parseUuid(flags.pool, "a pool");
    if (!flags.force) await confirmOnTerminal(terminal, `This destroys the pool ${uuid}: its data is lost.`);
    const { client, system } = await connect();
    const { poolDestroy } = await import("@daos/control-client");
    await waitFor(poolDestroy(client, { uuid, force: flags.force, system: flags.sys ?? system }));
    return success({ uuid }, () => `Pool ${uuid} destroyed`);
  },
});
