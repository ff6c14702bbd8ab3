import { Flags } from "@oclif/core";
import type { Answer } from "../answer.ts";
import { wellDone } from "../answer.ts";
import { connect } from "../connect.ts";
import { DmgCommand, globalFlagsWithout } from "../dmg-command.ts";
import { parsePoolUuid } from "./pool-flag.ts";

/** `dmg pool destroy`. @see DAOS 0.8.0 src/control/cmd/dmg/pool.go PoolDestroyCmd */
export class PoolDestroyCommand extends DmgCommand {
  static override readonly summary = "Destroy a pool and its data";
  static override readonly examples = [
    {
      description: "Destroy one pool",
      command: "<%= config.bin %> pool destroy --pool 7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10",
    },
  ];
  static override readonly baseFlags = globalFlagsWithout("f");
  static override readonly flags = {
    pool: Flags.string({ required: true, helpValue: "UUID", summary: "the pool" }),
    force: Flags.boolean({ char: "f", summary: "also while clients are connected" }),
    sys: Flags.string({
      char: "S",
      helpValue: "NAME",
      summary: "system name (default that of the configuration file)",
    }),
  };

  protected readonly what = "pool destroy";

  protected async answer(): Promise<Answer> {
    const { flags } = await this.parse(PoolDestroyCommand);
    const uuid = parsePoolUuid(flags.pool);
    const { client, system } = await connect(this.connectOptions(flags));
    const { poolDestroy } = await import("@daos/control-client");
    await poolDestroy(client, { uuid, force: flags.force, system: flags.sys ?? system });
    return wellDone({ uuid }, () => `Pool ${uuid} destroyed`);
  }
}
