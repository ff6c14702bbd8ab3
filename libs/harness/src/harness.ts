import type { Fault } from "@daos/fault";
import type { EngineFormatOptions, EngineInstance, EngineReady, InstanceFormatResult } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { Rank } from "@daos/rank";
import { faultNoReplica, faultRankNotHere, faultUnknownIndex } from "./faults.ts";

/**
 * The engines of this host. They live and fail independently of each other.
 *
 * @see DAOS 0.8.0 src/control/server/harness.go
 */
export class Harness {
  readonly instances: readonly EngineInstance[];
  readonly #log: Logger;

  constructor(instances: readonly EngineInstance[], log: Logger) {
    this.instances = instances;
    this.#log = log;
  }

  /**
   * Runs every engine until `signal` stops them.
   *
   * @throws Fault of the last engine that failed, when none is left
   */
  async run(signal: AbortSignal): Promise<void> {
    const faults: Fault[] = [];
    await Promise.all(
      this.instances.map((instance) =>
        instance.run(signal).catch((fault: Fault) => {
          this.#log.error(`engine ${instance.index} is out of service`, { fault });
          faults.push(fault);
        }),
      ),
    );
    const last = faults.at(-1);
    if (last !== undefined && faults.length === this.instances.length) throw last;
  }

  /** Hands an engine's announcement to its instance. @throws Fault for an index that this host does not have */
  async notifyReady(index: number, ready: EngineReady): Promise<void> {
    const instance = this.instances[index];
    if (instance === undefined) throw faultUnknownIndex(index, this.instances.length);
    await instance.notifyReady(ready);
  }

  /** The serving engine with this rank. @throws Fault when it is not here */
  byRank(rank: number): EngineInstance {
    const serving = this.instances.filter((instance) => rankOf(instance) !== undefined);
    const found = serving.find((instance) => rankOf(instance) === rank);
    if (found !== undefined) return found;
    throw faultRankNotHere(
      rank,
      serving.map(rankOf).filter((one) => one !== undefined),
    );
  }

  /** The serving engine that has a replica of the management service. @throws Fault when there is none */
  msInstance(): EngineInstance {
    const found = this.instances.find(
      (instance) => instance.state.kind === "serving" && instance.superblock?.ms === true,
    );
    if (found === undefined) throw faultNoReplica();
    return found;
  }

  /** Formats the storage of all engines at once; one result each, in their order. */
  format(options: EngineFormatOptions): Promise<readonly InstanceFormatResult[]> {
    return Promise.all(this.instances.map((instance) => instance.format(options)));
  }
}

function rankOf(instance: EngineInstance): Rank | undefined {
  return instance.state.kind === "serving" ? instance.state.rank : undefined;
}
