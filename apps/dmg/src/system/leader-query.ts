import type { Answer } from "../answer.ts";
import { wellDone } from "../answer.ts";
import { connect } from "../connect.ts";
import { DmgCommand } from "../dmg-command.ts";

/** `dmg system leader-query`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go leaderQueryCmd */
export class LeaderQueryCommand extends DmgCommand {
  static override readonly summary = "Show the leader and the replicas of the management service";
  static override readonly examples = [
    { description: "Who leads", command: "<%= config.bin %> system leader-query" },
  ];

  protected readonly what = "system leader-query";

  protected async answer(): Promise<Answer> {
    const { flags } = await this.parse(LeaderQueryCommand);
    const { client, system } = await connect(this.connectOptions(flags));
    const { leaderQuery } = await import("@daos/control-client");
    const { leader, replicas } = await leaderQuery(client, { system });
    return wellDone(
      { leader: leader === "" ? null : leader, replicas },
      () => `Current Leader: ${leader === "" ? "none" : leader}\n   Replica Set: ${replicas.join(", ")}`,
    );
  }
}
