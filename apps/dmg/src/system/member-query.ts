import type { Answer } from "../answer.ts";
import { wellDone } from "../answer.ts";
import { connect } from "../connect.ts";
import { DmgCommand } from "../dmg-command.ts";
import { formatTable } from "../output/table.ts";

/** `dmg system member-query`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemMemberQueryCmd */
export class SystemMemberQueryCommand extends DmgCommand {
  static override readonly summary = "List the members of the system, one engine each";
  static override readonly examples = [
    { description: "All members", command: "<%= config.bin %> system member-query" },
  ];

  protected readonly what = "system member-query";

  protected async answer(): Promise<Answer> {
    const { flags } = await this.parse(SystemMemberQueryCommand);
    const { client } = await connect(this.connectOptions(flags));
    const { systemMemberQuery } = await import("@daos/control-client");
    const members = await systemMemberQuery(client);
    const rows = members.map(({ rank, uuid, address }) => [`${rank}`, uuid, address]);
    return wellDone({ members }, (width) =>
      rows.length === 0
        ? "The system has no members"
        : formatTable({ columns: ["Rank", "UUID", "Control Address"], rows }, width),
    );
  }
}
