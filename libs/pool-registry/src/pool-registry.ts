import type { Logger } from "@daos/log";
import {
  faultLeadershipLost,
  type MemberStore,
  type PoolChange,
  type PoolRecord,
  type UnreadableMember,
} from "@daos/member-store";
import { parsePoolLabel } from "@daos/pool-id";
import type { Clock } from "@daos/sys";
import { faultPoolExists, faultPoolLabelTaken } from "./faults.ts";
import { type DataPlanePool, type ListedPool, planReconcile } from "./plan-reconcile.ts";

export interface PoolRegistryOptions {
  readonly store: MemberStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when this host may not lead any more. */
  readonly signal: AbortSignal;
  /** False as soon as another host may lead, also when the signal is late. */
  readonly holds: () => boolean;
}

/** A pool that is to be created. */
export type NewPool = Omit<PoolRecord, "state" | "svcReplicas" | "createdAt">;

/**
 * The pools of the system, as the leader keeps them during its term. What a call has changed is durable when the call
 * returns. A pool is recorded before the data plane is asked for it, so no pool that was acknowledged is missing here.
 */
export class PoolRegistry {
  readonly #options: PoolRegistryOptions;
  readonly #pools: Map<string, PoolRecord>;
  /** Labels of pools that are being recorded. */
  readonly #claimed = new Map<string, string>();
  /** When a pool whose creation or destruction did not end was first seen so, in this term; monotonic, ms. */
  readonly #unfinished = new Map<string, number>();
  /** Pools that are being created or destroyed now. */
  readonly #busy = new Map<string, number>();
  #commits = 0;

  private constructor(pools: readonly PoolRecord[], options: PoolRegistryOptions) {
    this.#options = options;
    this.#pools = new Map(pools.map((pool) => [pool.uuid, pool]));
  }

  /** Reads the pools. What cannot be read is logged, and stays in the store. @throws Fault memberStoreUnusable */
  static async load(options: PoolRegistryOptions): Promise<PoolRegistry> {
    const { store, signal, log } = options;
    const unreadable: UnreadableMember[] = [];
    const pools = await store.loadPools({ signal, onUnreadable: (one) => unreadable.push(one) });
    for (const { uuid, reason } of unreadable) log.error("a stored pool cannot be read", { uuid, reason });
    return new PoolRegistry(pools, options);
  }

  /** All pools, by uuid. */
  list(): readonly PoolRecord[] {
    return [...this.#pools.values()].sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  }

  /** All pools as they were recorded, for when the data plane cannot be asked. */
  recorded(): readonly ListedPool[] {
    return this.list().map((record) => {
      const { svcReplicas, state } = record;
      return { record, svcReplicas, state, inDataPlane: false, note: "as recorded" };
    });
  }

  byUuid(uuid: string): PoolRecord | undefined {
    return this.#pools.get(uuid.toLowerCase());
  }

  /** How many commits the changes so far have taken. */
  get commits(): number {
    return this.#commits;
  }

  /**
   * Checks that the term goes on. Call it before each step of work in the term. @throws Fault leadershipLost when it is
   * over
   */
  checkTerm(attempted: string): void {
    if (!this.#options.holds()) throw faultLeadershipLost(attempted);
  }

  /**
   * Records a pool that the data plane is about to create. The same request may come again.
   *
   * @throws Fault poolLabelInvalid, poolLabelTaken, poolExists when the pool has another label; of the store
   */
  async begin(pool: NewPool): Promise<PoolRecord> {
    const uuid = pool.uuid.toLowerCase();
    const { label } = pool;
    if (label !== "") parsePoolLabel(label);
    const before = this.#pools.get(uuid);
    if (before?.state === "ready") {
      if (before.label !== label) throw faultPoolExists(uuid, before.label);
      return before;
    }
    const holder = this.#holderOf(label);
    if (holder !== undefined && holder !== uuid) throw faultPoolLabelTaken(label, holder);
    const createdAt = this.#options.clock.wallTime();
    const record: PoolRecord = { ...pool, uuid, state: "creating", svcReplicas: [], createdAt };
    if (label !== "") this.#claimed.set(label, uuid);
    try {
      await this.#commit([{ kind: "put", pool: record }]);
    } finally {
      this.#claimed.delete(label);
    }
    return record;
  }

  /** The data plane has created it. */
  async ready(uuid: string, svcReplicas: readonly number[]): Promise<void> {
    const pool = this.byUuid(uuid);
    if (pool === undefined) return;
    await this.#commit([{ kind: "put", pool: { ...pool, state: "ready", svcReplicas } }]);
  }

  /** The data plane is about to destroy it. An unknown pool is accepted. */
  async destroying(uuid: string): Promise<void> {
    const pool = this.byUuid(uuid);
    if (pool === undefined || pool.state === "destroying") return;
    await this.#commit([{ kind: "put", pool: { ...pool, state: "destroying" } }]);
  }

  /** The data plane has not destroyed it: it is as it was. */
  async restore(pool: PoolRecord): Promise<void> {
    if (this.byUuid(pool.uuid) !== pool) await this.#commit([{ kind: "put", pool }]);
  }

  /** The data plane has destroyed it, or has not created it. An unknown pool is accepted. */
  async remove(uuid: string): Promise<void> {
    if (this.byUuid(uuid) !== undefined) await this.#commit([{ kind: "remove", uuid: uuid.toLowerCase() }]);
  }

  /** Runs `work`, which creates or destroys a pool. The pool is not reconciled meanwhile. */
  async whileBusy<T>(uuid: string, work: () => Promise<T>): Promise<T> {
    const key = uuid.toLowerCase();
    this.#unfinished.delete(key);
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#busy.get(key) ?? 1) - 1;
      if (left === 0) this.#busy.delete(key);
      else this.#busy.set(key, left);
    }
  }

  /**
   * Compares the pools with those of the data plane, and records what is certain. Pools that changed while the data plane was
   * asked are left for the next time.
   *
   * @param ask asks the data plane
   * @returns every pool that either of them has; changes that could not be recorded are shown nevertheless
   * @throws what `ask` throws
   */
  async reconcile(ask: () => Promise<readonly DataPlanePool[]>): Promise<readonly ListedPool[]> {
    const before = new Map(this.#pools);
    const wasBusy = new Set(this.#busy.keys());
    const found = await ask();
    const now = this.#options.clock.now();
    const isSettled = (uuid: string) =>
      before.get(uuid) === this.#pools.get(uuid) && !wasBusy.has(uuid) && !this.#busy.has(uuid);
    const { listed, changes, unfinished } = planReconcile([...this.#pools.values()], found, {
      isSettled,
      unfinishedFor: (uuid) => now - (this.#unfinished.get(uuid) ?? now),
      wallTime: this.#options.clock.wallTime(),
    });
    for (const uuid of this.#unfinished.keys()) if (!unfinished.has(uuid)) this.#unfinished.delete(uuid);
    for (const uuid of unfinished) if (!this.#unfinished.has(uuid)) this.#unfinished.set(uuid, now);
    if (changes.length > 0) await this.#record(changes);
    return listed;
  }

  async #record(changes: readonly PoolChange[]): Promise<void> {
    const { log } = this.#options;
    for (const change of changes)
      log.warn("the record of a pool follows the data plane", {
        uuid: change.kind === "put" ? change.pool.uuid : change.uuid,
        to: change.kind === "put" ? change.pool.state : "removed",
      });
    await this.#commit(changes).catch((error: unknown) => {
      log.error("cannot record how the pools differ from those of the data plane", { error });
    });
  }

  #holderOf(label: string): string | undefined {
    if (label === "") return undefined;
    return this.#claimed.get(label) ?? [...this.#pools.values()].find((pool) => pool.label === label)?.uuid;
  }

  async #commit(changes: readonly PoolChange[]): Promise<void> {
    const { store, signal } = this.#options;
    await store.commitPools(changes, { signal });
    this.#commits++;
    for (const change of changes) {
      if (change.kind === "put") this.#pools.set(change.pool.uuid, change.pool);
      else this.#pools.delete(change.uuid);
    }
  }
}
