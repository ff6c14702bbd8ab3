import {
  faultMemberStore,
  faultRankTaken,
  type Member,
  type MemberChange,
  type MemberStore,
} from "@daos/member-store";
import type { Superblock } from "@daos/superblock";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { SimProcess } from "./sim-process.ts";

/** The storage of one engine: it outlives servers and hosts. */
export interface SimDisk {
  superblock: Superblock | undefined;
  /** It holds what has to be formatted away. */
  foreign: boolean;
}

/** Members on the disk of the only access point: there after any crash; now and then the disk is full. */
export class DiskStore implements MemberStore {
  readonly #ledger: Ledger;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #outage: () => boolean;

  constructor(ledger: Ledger, process: SimProcess, random: Random, outage: () => boolean) {
    this.#ledger = ledger;
    this.#process = process;
    this.#random = random;
    this.#outage = outage;
  }

  async load(): Promise<readonly Member[]> {
    await this.#work();
    return this.#ledger.list();
  }

  async commit(
    changes: readonly MemberChange[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    await this.#work();
    const conflict = this.#ledger.conflict(changes);
    if (conflict !== undefined) {
      this.#ledger.violate(`the leader gives rank ${conflict.rank} to ${conflict.uuid} as well`);
      throw faultRankTaken(conflict.uuid, conflict.rank, "another engine has it");
    }
    this.#ledger.commit(0, changes);
  }

  async #work(): Promise<void> {
    await this.#process.delay(this.#random.whole(1, 8), {});
    if (this.#outage()) throw faultMemberStore("members.db", new Error("database or disk is full"));
  }

  async close(): Promise<void> {}
}
