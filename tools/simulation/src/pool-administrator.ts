import { LeaderFinder } from "@daos/control-client";
import { toFault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import type { Random } from "@daos/sys/testing";
import type { PoolsResult } from "@daos/system";
import type { SimProcess } from "./sim-process.ts";
import type { PoolCommand } from "./sim-server.ts";
import type { World } from "./world.ts";

const COMMAND_MS = 60_000;
/** Only a few labels, so that a label is often in use. */
const LABELS = 12;

/** Creates, destroys and lists pools at random like `dmg`, until it is stopped. */
export class PoolAdministrator {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: SimProcess;
  readonly #finder: LeaderFinder;
  readonly #asked: string[] = [];
  #active = true;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#process = world.outside();
    this.#finder = new LeaderFinder({
      accessPoints: world.accessPoints,
      known: () => undefined,
      clock: this.#process,
    });
  }

  start(): void {
    const next = () => {
      if (!this.#active) return;
      void this.#run(this.#pick());
      this.#world.time.after(this.#random.whole(500, 6_000), next);
    };
    next();
  }

  stop(): void {
    this.#active = false;
  }

  /** The final list of pools; undefined when it cannot be obtained. */
  async list(): Promise<PoolsResult | undefined> {
    for (let tries = 0; tries < 20; tries++) {
      const listed = await this.#run({ kind: "list" });
      if (listed !== undefined && listed.outage === undefined) return listed;
      await this.#process.delay(1_000, {});
    }
    return undefined;
  }

  #pick(): PoolCommand {
    const random = this.#random;
    if (random.chance(0.3)) return { kind: "list" };
    if (this.#asked.length > 0 && random.chance(0.4))
      return { kind: "destroy", uuid: random.pick(this.#asked) };
    // Some requests repeat an earlier one.
    const uuid = this.#asked.length > 0 && random.chance(0.1) ? random.pick(this.#asked) : random.uuid();
    this.#asked.push(uuid);
    return { kind: "create", uuid, label: random.chance(0.7) ? `pool${random.whole(0, LABELS)}` : "" };
  }

  async #run(command: PoolCommand): Promise<PoolsResult | undefined> {
    const { history, network } = this.#world;
    const text = Object.values(command).join(" ");
    history.note(`dmg pool ${text}`);
    if (command.kind === "destroy") history.pools.destroyAsked(command.uuid);
    using limit = this.#process.deadline(COMMAND_MS, "command");
    const caller = { process: this.#process, host: "outside" };
    try {
      const result = await this.#finder.ask(
        (to: HostAddress, until) =>
          network.call(caller, to, { signal: until.signal, attempted: text }, (server, _peer, wait) =>
            server.pool(command, wait),
          ),
        { signal: limit.signal, hostMs: COMMAND_MS },
      );
      history.note(`dmg pool ${text} done`);
      return result;
    } catch (error) {
      history.note(`dmg pool ${text} failed ${toFault(error).message}`);
      return undefined;
    }
  }
}
