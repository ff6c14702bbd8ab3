import type { HostAddress } from "@daos/hostlist";
import {
  type EventChange,
  type EventRecord,
  faultLeadershipLost,
  faultRankTaken,
  type Member,
  type MemberChange,
  type PoolChange,
  type PoolRecord,
} from "@daos/member-store";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import type { SimProcess } from "./sim-process.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A call to etcd that came to nothing. */
export class EtcdFailure extends Error {
  /** It may have been carried out. */
  readonly unknown: boolean;

  constructor(text: string, unknown: boolean) {
    super(text);
    this.unknown = unknown;
  }
}

/** Who leads, as etcd has it. */
export interface ElectionStatus {
  readonly lease: number;
  readonly leader:
    | { readonly address: HostAddress; readonly lease: number; readonly term: number }
    | undefined;
}

interface Lease {
  expires: number;
}

/** Time to live of a lease, ms. */
export const LEASE_MS = 3_000;
const ATTEMPT_MS = 2_000;

/** What one commit changes. */
export interface StoreChanges {
  readonly members: readonly MemberChange[];
  readonly pools: readonly PoolChange[];
}

/**
 * The part of etcd that the election and the store use, as a cluster that is either there or not: leases in its own time, a
 * leader key that hangs on a lease, and commits that hold only for the term whose key is there (fencing).
 */
export class SimEtcd {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #history: History;
  readonly #leases = new Map<number, Lease>();
  readonly #applied = new Set<string>();
  /** Access points that are cut off from it. */
  readonly cutOff = new Set<string>();
  #revision = 0;
  #leader: ElectionStatus["leader"];
  #available = true;
  /** Chance of a call that is lost on its way there, or whose answer is lost. */
  lossy = 0;

  constructor(time: VirtualTime, random: Random, history: History) {
    this.#time = time;
    this.#random = random;
    this.#history = history;
  }

  get available(): boolean {
    return this.#available;
  }

  /** Without a majority leases do not end; with a new one they begin anew. */
  setAvailable(available: boolean): void {
    if (available && !this.#available)
      for (const lease of this.#leases.values()) lease.expires = this.#time.now + LEASE_MS;
    this.#available = available;
  }

  get leader(): ElectionStatus["leader"] {
    this.#expire();
    return this.#leader;
  }

  /** Renews a lease, or grants a new one, and makes its owner the leader if there is none. */
  stand(process: SimProcess, address: HostAddress, lease: number): Promise<ElectionStatus> {
    return this.#call(process, address, () => {
      this.#expire();
      const known = this.#leases.get(lease);
      const owned = known === undefined ? ++this.#revision : lease;
      this.#leases.set(owned, { expires: this.#time.now + LEASE_MS });
      if (this.#leader === undefined) {
        this.#leader = { address, lease: owned, term: ++this.#revision };
        this.#history.note(`leader ${address.host} ${this.#leader.term}`);
      }
      return { lease: owned, leader: this.#leader };
    });
  }

  resign(process: SimProcess, address: HostAddress, lease: number): Promise<void> {
    return this.#call(process, address, () => {
      this.#leases.delete(lease);
      this.#expire();
    });
  }

  load(
    process: SimProcess,
    address: HostAddress,
    term: number,
  ): Promise<{
    readonly members: readonly Member[];
    readonly pools: readonly PoolRecord[];
    readonly events: readonly EventRecord[];
  }> {
    return this.#call(process, address, () => {
      if (this.leader?.term !== term) throw faultLeadershipLost("read the members");
      const { pools, events } = this.#history;
      return { members: this.#history.list(), pools: pools.list(), events: events.list() };
    });
  }

  /** Events are put by their number, so a copy that comes late changes nothing. */
  commitEvents(process: SimProcess, address: HostAddress, term: number, change: EventChange): Promise<void> {
    return this.#call(process, address, () => {
      if (this.leader?.term !== term) throw faultLeadershipLost("keep events");
      this.#history.events.commit(change);
    });
  }

  /** A commit with this name is made once, however often it is sent. */
  commit(
    process: SimProcess,
    address: HostAddress,
    term: number,
    name: string,
    { members, pools }: StoreChanges,
  ): Promise<void> {
    return this.#call(process, address, () => {
      if (this.#applied.has(name)) return;
      if (this.leader?.term !== term) throw faultLeadershipLost(`commit ${name} of members`);
      const conflict = this.#history.conflict(members);
      if (conflict !== undefined) {
        this.#history.violate(
          `the leader of term ${term} gives rank ${conflict.rank} to ${conflict.uuid} as well`,
        );
        throw faultRankTaken(conflict.uuid, conflict.rank, "another engine has it");
      }
      this.#applied.add(name);
      if (members.length > 0) this.#history.commit(term, members);
      if (pools.length > 0) this.#history.pools.commit(term, pools);
    });
  }

  #expire(): void {
    if (!this.#available) return;
    for (const [id, { expires }] of this.#leases) if (expires <= this.#time.now) this.#leases.delete(id);
    if (this.#leader !== undefined && !this.#leases.has(this.#leader.lease)) this.#leader = undefined;
  }

  #reaches({ host }: HostAddress): boolean {
    return this.#available && !this.cutOff.has(host);
  }

  /** There and back again. What has been sent arrives also when its sender is dead by then. */
  #call<T>(process: SimProcess, from: HostAddress, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (unknown: boolean) =>
        process.after(ATTEMPT_MS, () => reject(new EtcdFailure("no answer of etcd", unknown)));
      if (this.#random.chance(this.lossy)) {
        fail(false);
        return;
      }
      this.#time.after(this.#latency(), () => {
        if (!this.#reaches(from)) {
          fail(false);
          return;
        }
        let outcome: () => void;
        try {
          const result = work();
          outcome = () => resolve(result);
        } catch (error) {
          outcome = () => reject(error);
        }
        if (this.#random.chance(this.lossy)) fail(true);
        else process.after(this.#latency(), outcome);
      });
    });
  }

  #latency(): number {
    return 1 + this.#random.whole(0, 4);
  }
}
