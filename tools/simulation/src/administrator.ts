import { LeaderFinder } from "@daos/control-client";
import { toFault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import type { SimProcess } from "./sim-process.ts";
import type { Command } from "./sim-server.ts";
import type { World } from "./world.ts";

const COMMAND_MS = 600_000;

/** Runs commands on the leader, from outside, as `dmg` does. */
export class Administrator {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #finder: LeaderFinder;

  constructor(world: World) {
    this.#world = world;
    this.#process = world.outside();
    this.#finder = new LeaderFinder({
      accessPoints: world.accessPoints,
      known: () => undefined,
      clock: this.#process,
    });
  }

  /** @returns the number of members for which it failed; undefined when the whole command failed */
  async run(
    command: Command,
    ranks: readonly number[],
    options: { readonly force: boolean; readonly timeoutMs: number },
  ): Promise<number | undefined> {
    const { history, network } = this.#world;
    history.note(`dmg ${command} ${ranks.join(",")}${options.force ? " --force" : ""}`);
    using limit = this.#process.deadline(COMMAND_MS, "command");
    const caller = { process: this.#process, host: "outside" };
    try {
      // A command must not run twice, so the host that received it is waited for.
      const results = await this.#finder.ask(
        (to: HostAddress, until) =>
          network.call(
            caller,
            to,
            { signal: until.signal, attempted: command },
            (server, _peer, { signal }) => server.act(command, ranks, { ...options, signal }),
          ),
        { signal: limit.signal, hostMs: COMMAND_MS },
      );
      const failed = results.filter(({ fault }) => fault !== undefined);
      history.note(`dmg ${command} done ${results.length} ${failed.map(({ fault }) => fault?.code)}`);
      return failed.length;
    } catch (error) {
      history.note(`dmg ${command} failed ${toFault(error).message}`);
      return undefined;
    }
  }
}
