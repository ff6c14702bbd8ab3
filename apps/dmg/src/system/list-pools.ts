import { formatRankSet, parseRank } from "@daos/rank";
import type { Answer } from "../answer.ts";
import { wellDone } from "../answer.ts";
import { connect } from "../connect.ts";
import { DmgCommand } from "../dmg-command.ts";
import { formatTable } from "../output/table.ts";

/** `dmg system list-pools`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemListPoolsCmd */
export class ListPoolsCommand extends DmgCommand {
  static override readonly summary = "List the pools of the system";
  static override readonly examples = [
    { description: "All pools", command: "<%= config.bin %> system list-pools" },
    {
      description: "Their uuids, for a script",
      command: "<%= config.bin %> system list-pools --json | jq -r .result.pools[].uuid",
    },
  ];

  protected readonly what = "system list-pools";

  protected async answer(): Promise<Answer> {
    const { flags } = await this.parse(ListPoolsCommand);
    const { client, system } = await connect(this.connectOptions(flags));
    const { listPools } = await import("@daos/control-client");
    const pools = await listPools(client, { system });
    const rows = pools.map(({ uuid, svcReplicas }) => [uuid, formatRankSet(svcReplicas.map(parseRank))]);
    return wellDone({ pools }, (width) =>
      rows.length === 0
        ? "The system has no pools"
        : formatTable({ columns: ["Pool UUID", "Svc Replicas"], rows }, width),
    );
  }
}
