import { toFault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { LeaderFinder } from "@daos/mgmt-client";
import type { SimProcess } from "./sim-process.ts";
import type { Command } from "./sim-server.ts";
import type { World } from "./world.ts";

/** Runs commands on the leader, from outside, as `dmg` does. */
export class Administrator {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #finder: LeaderFinder;

  constructor(world: World) {
    this.#world = world;
    this.#process = world.outside();
    this.#finder = new LeaderFinder({ accessPoints: world.accessPoints, known: () => undefined });
  }

  /** @returns how many members it did not work for; undefined when the command failed as a whole */
  async run(
    command: Command,
    ranks: readonly number[],
    options: { readonly force: boolean; readonly timeoutMs: number },
  ): Promise<number | undefined> {
    const { ledger, network } = this.#world;
    ledger.note(`dmg ${command} ${ranks.join(",")}${options.force ? " --force" : ""}`);
    using limit = this.#process.deadline(600_000, "command");
    const caller = { process: this.#process, host: "outside" };
    try {
      const results = await this.#finder.ask((to: HostAddress) =>
        network.call(caller, to, { signal: limit.signal, attempted: command }, (server, _peer, { signal }) =>
          server.act(command, ranks, { ...options, signal }),
        ),
      );
      const failed = results.filter(({ fault }) => fault !== undefined);
      ledger.note(`dmg ${command} done ${results.length} ${failed.map(({ fault }) => fault?.code)}`);
      return failed.length;
    } catch (error) {
      ledger.note(`dmg ${command} failed ${toFault(error).message}`);
      return undefined;
    }
  }
}
