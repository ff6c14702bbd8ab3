import { confirmOnTerminal } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { poolFlag } from "../../pool/acl.ts";
import { choosePool } from "../../pool/choose-pool.ts";

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
    { text: "By its label", line: "pool destroy --pool scratch" },
  ],
  flags: {
    pool: poolFlag,
    force: {
      type: "boolean",
      char: "f",
      summary: "also while clients are connected, and without consent",
    },
    sys: {
      type: "string",
      char: "S",
      value: "NAME",
      summary: "system name (default that of the configuration file)",
    },
  },
  run: async ({ flags, terminal, connect, waitFor }) => {
    const { client, system, uuid } = await choosePool(flags.pool, { connect, waitFor });
    if (!flags.force) await confirmOnTerminal(terminal, `This destroys the pool ${uuid}: its data is lost.`);
    const { poolDestroy } = await import("@daos/control-client");
    await waitFor(poolDestroy(client, { uuid, force: flags.force, system: flags.sys ?? system }));
    return success({ uuid }, () => `Pool ${uuid} destroyed`);
  },
});
