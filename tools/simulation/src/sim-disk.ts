import {
  type EventChange,
  type EventRecord,
  faultMemberStore,
  faultRankTaken,
  type Member,
  type MemberChange,
  type MemberStore,
  type PoolChange,
  type PoolRecord,
} from "@daos/member-store";
import type { Superblock } from "@daos/superblock";
import type { Random } from "@daos/sys/testing";
import type { History } from "./history.ts";
import type { SimProcess } from "./sim-process.ts";

/** The storage of one engine. It survives the death of servers and hosts. */
export interface SimDisk {
  superblock: Superblock | undefined;
  /** It has data that must be erased by a format. */
  foreign: boolean;
}

/** The members on the disk of the only access point. They survive any crash. From time to time the disk is full. */
export class DiskStore implements MemberStore {
  readonly #history: History;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #outage: () => boolean;

  constructor(history: History, process: SimProcess, random: Random, outage: () => boolean) {
    this.#history = history;
    this.#process = process;
    this.#random = random;
    this.#outage = outage;
  }

  async load(): Promise<readonly Member[]> {
    await this.#work();
    return this.#history.list();
  }

  async commit(
    changes: readonly MemberChange[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    await this.#work();
    const conflict = this.#history.conflict(changes);
    if (conflict !== undefined) {
      this.#history.violate(`the leader gives rank ${conflict.rank} to ${conflict.uuid} as well`);
      throw faultRankTaken(conflict.uuid, conflict.rank, "another engine has it");
    }
    this.#history.commit(0, changes);
  }

  async loadPools(): Promise<readonly PoolRecord[]> {
    await this.#work();
    return this.#history.pools.list();
  }

  async commitPools(
    changes: readonly PoolChange[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    await this.#work();
    this.#history.pools.commit(0, changes);
  }

  async loadEvents(): Promise<readonly EventRecord[]> {
    await this.#work();
    return this.#history.events.list();
  }

  async commitEvents(change: EventChange, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    await this.#work();
    this.#history.events.commit(change);
  }

  async #work(): Promise<void> {
    await this.#process.delay(this.#random.whole(1, 8), {});
    if (this.#outage()) throw faultMemberStore("members.db", new Error("database or disk is full"));
  }

  async close(): Promise<void> {}
}
