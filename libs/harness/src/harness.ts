import { type Fault, FaultCode } from "@daos/fault";
import type { EngineFormatOptions, EngineInstance, EngineReady, InstanceFormatResult } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { Rank } from "@daos/rank";
import {
  faultNoReplica,
  faultNotOpened,
  faultOtherEngine,
  faultRankNotHere,
  faultUnknownIndex,
} from "./faults.ts";

/**
 * The engines of this host. They live and fail independently of each other.
 *
 * @see DAOS 0.8.0 src/control/server/harness.go
 */
export class Harness {
  readonly instances: readonly EngineInstance[];
  readonly #log: Logger;
  readonly #listeners = new Set<() => void>();

  constructor(instances: readonly EngineInstance[], log: Logger) {
    this.instances = instances;
    this.#log = log;
  }

  /** To be called by each instance when its state has changed. */
  changed(instance: EngineInstance): void {
    const { state } = instance;
    if (state.kind === "failed") {
      this.#log.error(`engine ${instance.index} is out of service`, { fault: state.fault });
    }
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change of an instance. @returns a function that removes the listener */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Runs every engine until `signal` stops them; those that were stopped or have failed wait to be started.
   *
   * @throws Fault of an engine, when all have failed and none has been in service: the operator waits for it. An engine
   *   that is excluded waits for an administrator instead, whom this host may have to serve.
   */
  async run(signal: AbortSignal): Promise<void> {
    const allFailed = Promise.withResolvers<never>();
    const stop = this.watch(() => {
      const fault = this.#allFailed();
      if (fault !== undefined) allFailed.reject(fault);
    });
    try {
      await Promise.race([
        Promise.all(this.instances.map((instance) => instance.run(signal))),
        allFailed.promise,
      ]);
    } finally {
      stop();
    }
  }

  /** The fault of the last one, when all have failed and none has served. */
  #allFailed(): Fault | undefined {
    const faults = this.instances.map(({ state, hasServed }) =>
      state.kind === "failed" && !hasServed && state.fault.code !== FaultCode.memberExcluded
        ? state.fault
        : undefined,
    );
    return faults.includes(undefined) ? undefined : faults.at(-1);
  }

  /** Hands an engine's announcement to its instance. @throws Fault for an index that this host does not have */
  async notifyReady(index: number, ready: EngineReady): Promise<void> {
    const instance = this.instances[index];
    if (instance === undefined) throw faultUnknownIndex(index, this.instances.length);
    await instance.notifyReady(ready);
  }

  /** The engine with this rank, in any state. @throws Fault when it is not here */
  byRank(rank: number): EngineInstance {
    const found = this.instances.find((instance) => rankOf(instance) === rank);
    if (found !== undefined) return found;
    throw faultRankNotHere(
      rank,
      this.instances.map(rankOf).filter((one) => one !== undefined),
    );
  }

  /**
   * As {@link byRank}, but waits while storage is opened: after a start of this server, the rank is not known before.
   *
   * @throws Fault when it is not here; engineNotReady while that is not known
   */
  async findRank(rank: number, { signal }: { readonly signal: AbortSignal }): Promise<EngineInstance> {
    const isKnown = this.instances.some((instance) => rankOf(instance) === rank);
    const unopened = isKnown ? [] : this.instances.filter(({ superblock }) => superblock === undefined);
    const hanging: number[] = [];
    const found = unopened.map(async (instance) => {
      if (!(await instance.opened({ signal }))) hanging.push(instance.index);
      return this.byRank(rank);
    });
    return Promise.any(found).catch(() => {
      // "Not here" would let an erase by force forget the rank.
      if (hanging.length > 0) throw faultNotOpened(rank, hanging);
      return this.byRank(rank);
    });
  }

  /** The engine with this rank and identity. @throws Fault when it is not here, or another one has the rank */
  async findIdentity(
    rank: number,
    uuid: string,
    wait: { readonly signal: AbortSignal },
  ): Promise<EngineInstance> {
    const found = await this.findRank(rank, wait);
    if (found.superblock?.uuid !== uuid) throw faultOtherEngine(rank, uuid);
    return found;
  }

  /**
   * The engine that serves without a fault and has a replica of the management service.
   *
   * @throws Fault when there is none
   */
  msInstance(): EngineInstance {
    const found = this.instances.find(servesReplica);
    if (found === undefined) throw faultNoReplica();
    return found;
  }

  /** True when {@link msInstance} finds an engine. */
  get hasMsInstance(): boolean {
    return this.instances.some(servesReplica);
  }

  /** Formats the storage of all engines at once; one result each, in their order. */
  format(options: EngineFormatOptions): Promise<readonly InstanceFormatResult[]> {
    return Promise.all(this.instances.map((instance) => instance.format(options)));
  }
}

function servesReplica({ runsReplica }: EngineInstance): boolean {
  return runsReplica;
}

function rankOf({ superblock }: EngineInstance): Rank | undefined {
  return superblock?.validRank === true ? superblock.rank : undefined;
}
