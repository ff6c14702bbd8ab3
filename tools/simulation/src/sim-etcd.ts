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
import type { Random } from "@daos/sys/testing";
import type { History } from "./history.ts";
import type { SimProcess } from "./sim-process.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A failed call to etcd. */
export class EtcdFailure extends Error {
  /** Whether it may have taken effect. */
  readonly unknown: boolean;

  constructor(text: string, unknown: boolean) {
    super(text);
    this.unknown = unknown;
  }
}

/** The leader in etcd, and the candidate's own lease. */
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

/** The changes of one commit. */
export interface StoreChanges {
  readonly members: readonly MemberChange[];
  readonly pools: readonly PoolChange[];
}

/**
 * The part of etcd that the election and the store use. The cluster is either up or down. It has leases with its own clock, a
 * leader key attached to a lease, and commits that succeed only in the term of the current key (fencing).
 */
export class SimEtcd {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #history: History;
  readonly #leases = new Map<number, Lease>();
  readonly #applied = new Set<string>();
  /** Access points that cannot reach it. */
  readonly cutOff = new Set<string>();
  #revision = 0;
  #leader: ElectionStatus["leader"];
  #available = true;
  /** The probability that a call or its answer is lost. */
  lossy = 0;

  constructor(time: VirtualTime, random: Random, history: History) {
    this.#time = time;
    this.#random = random;
    this.#history = history;
  }

  get available(): boolean {
    return this.#available;
  }

  /** Leases do not expire without a majority. They are renewed when there is a majority again. */
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
  campaign(process: SimProcess, address: HostAddress, lease: number): Promise<ElectionStatus> {
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

  /** Events are stored by their number, so a late copy changes nothing. */
  commitEvents(process: SimProcess, address: HostAddress, term: number, change: EventChange): Promise<void> {
    return this.#call(process, address, () => {
      if (this.leader?.term !== term) throw faultLeadershipLost("store events");
      this.#history.events.commit(change);
    });
  }

  /** A commit with this name takes effect once, however often it is sent. */
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

  /** A round trip. A sent request arrives even when its sender has died meanwhile. */
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
