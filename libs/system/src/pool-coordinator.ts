import type { MessageInitShape } from "@bufbuild/protobuf";
import { drpcMethods } from "@daos/drpc";
import type { Leadership } from "@daos/election";
import { type Fault, FaultCode, faultDaosStatus, hasCode, isNotDone, retryClass, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { ListedPool, NewPool, PoolRegistry } from "@daos/pool-registry";
import type { mgmt } from "@daos/proto";
import { abortable, type Clock, systemClock } from "@daos/sys";
import type { ForClient, MsReplicas } from "./ms-replicas.ts";

export interface PoolCoordinatorOptions {
  readonly leadership: Pick<Leadership, "pools">;
  readonly replicas: Pick<MsReplicas, "call">;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

/** How long a list of the pools waits for the data plane, ms. */
const LIST_MS = 10_000;

/** The answer of the data plane to the creation of a pool. */
export interface PoolCreateResult {
  /** 0, or the DAOS error number with which the data plane refused. */
  readonly status: number;
  readonly svcReplicas: readonly number[];
}

/** The pools of the system, and whether the data plane could be asked. */
export interface PoolsResult {
  readonly pools: readonly ListedPool[];
  /** Why the data plane could not be asked; the pools are then as they were recorded. */
  readonly outage: Fault | undefined;
}

/**
 * Creates, destroys and lists pools, on the leader. A pool is in the registry before the data plane creates it, so the
 * registry has every acknowledged pool, whatever fails.
 *
 * @see DAOS 0.8.0 src/control/server/mgmt_pool.go
 */
export class PoolCoordinator {
  readonly #options: PoolCoordinatorOptions;
  readonly #clock: Clock;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: PoolCoordinatorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws Fault notLeader, systemNotReady, poolLabelInvalid, poolLabelTaken, poolExists, poolServiceDown; of the store */
  create(
    pool: NewPool,
    request: MessageInitShape<typeof mgmt.PoolCreateReqSchema>,
    wait: ForClient,
  ): Promise<PoolCreateResult> {
    const { uuid } = pool;
    return this.#inTurn(uuid, wait, async (pools) => {
      // The record of an earlier attempt stays: the attempt may have been carried out.
      const isFirst = pools.byUuid(uuid) === undefined;
      await pools.begin(pool);
      try {
        const { status, svcreps } = await this.#options.replicas.call(drpcMethods.poolCreate, request, wait);
        if (status === 0) await this.#note(uuid, () => pools.ready(uuid, svcreps));
        else if (isFirst && isRefusal(status)) await this.#note(uuid, () => pools.remove(uuid));
        // Another leader may have removed the record meanwhile, when this host could not record the pool.
        pools.checkTerm("create a pool");
        return { status, svcReplicas: svcreps };
      } catch (error) {
        if (isFirst && isNotDone(toFault(error))) await this.#note(uuid, () => pools.remove(uuid));
        throw error;
      }
    });
  }

  /**
   * Destroys a pool. A store that takes no writes does not prevent it, because destroying a pool makes room.
   *
   * @returns the status of the data plane
   * @throws Fault notLeader, systemNotReady, poolServiceDown
   */
  destroy(
    uuid: string,
    request: MessageInitShape<typeof mgmt.PoolDestroyReqSchema>,
    wait: ForClient,
  ): Promise<number> {
    return this.#inTurn(uuid, wait, async (pools) => {
      const before = pools.byUuid(uuid);
      await this.#note(uuid, () => pools.destroying(uuid));
      const goesOn = async () => {
        if (before !== undefined) await this.#note(uuid, () => pools.restore(before));
      };
      try {
        const { status } = await this.#options.replicas.call(drpcMethods.poolDestroy, request, wait);
        if (status === 0) await this.#note(uuid, () => pools.remove(uuid));
        else if (isRefusal(status)) await goesOn();
        return status;
      } catch (error) {
        if (isNotDone(toFault(error))) await goesOn();
        throw error;
      }
    });
  }

  /**
   * All pools. While the data plane cannot be asked, the recorded ones.
   *
   * @throws Fault notLeader, systemNotReady
   */
  async list(
    request: MessageInitShape<typeof mgmt.ListPoolsReqSchema>,
    wait: ForClient,
  ): Promise<PoolsResult> {
    const pools = this.#options.leadership.pools();
    const ask = async () => {
      // The list does not wait for engines that hang: it shows the recorded pools.
      using limit = this.#clock.deadline(LIST_MS, "list the pools of the data plane", wait.signal);
      const { status, pools: found } = await abortable(
        this.#options.replicas.call(drpcMethods.listPools, request, { ...wait, signal: limit.signal }),
        limit.signal,
      );
      if (status !== 0) throw faultDaosStatus("list the pools of the data plane", status);
      return found.map(({ uuid, svcreps }) => ({ uuid, svcReplicas: svcreps }));
    };
    try {
      const found = await pools.reconcile(ask);
      pools.checkTerm("list the pools");
      return { pools: found, outage: undefined };
    } catch (error) {
      wait.signal.throwIfAborted();
      pools.checkTerm("list the pools");
      return { pools: pools.recorded(), outage: toFault(error) };
    }
  }

  /** Changes of one pool run one after the other. */
  async #inTurn<T>(
    uuid: string,
    { signal }: ForClient,
    work: (pools: PoolRegistry) => Promise<T>,
  ): Promise<T> {
    const key = uuid.toLowerCase();
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = abortable(before, signal).then(() => {
      signal.throwIfAborted();
      const pools = this.#options.leadership.pools();
      return pools.whileBusy(key, () => work(pools));
    });
    const settled = Promise.allSettled([before, turn]);
    this.#turns.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    }
  }

  /** A store that takes no writes is not a reason to fail: the next list of pools records what the data plane has. */
  async #note(uuid: string, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (!hasCode(error, FaultCode.memberStoreUnusable)) throw error;
      this.#options.log.error("the state of a pool is not recorded yet", { uuid, fault: toFault(error) });
    }
  }
}

/** True when the data plane has certainly not done it. */
function isRefusal(status: number): boolean {
  return retryClass({ code: -status }) !== "maybe-done";
}
