import type { AccessPoint, Election, LeaderView } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";
import {
  type EventChange,
  type EventRecord,
  faultLeadershipLost,
  faultMemberStore,
  type Member,
  type MemberChange,
  type MemberStore,
  type PoolChange,
  type PoolRecord,
} from "@daos/member-store";
import { type ElectionStatus, EtcdFailure, LEASE_MS, type SimEtcd, type StoreChanges } from "./sim-etcd.ts";
import type { SimProcess } from "./sim-process.ts";

/** The candidate treats its lease as expired this much earlier than etcd does, ms. */
const MARGIN_MS = 300;
const CAMPAIGN_MS = 700;
/** A leader gives up its term when the outcome of a commit stays unknown for this time, ms. */
const OUTCOME_MS = 8_000;
const PAUSE_MS = 50;

export interface SimElectionOptions {
  readonly etcd: SimEtcd;
  readonly process: SimProcess;
  readonly self: HostAddress;
  readonly accessPoints: readonly HostAddress[];
}

/**
 * An access point's election session in etcd. It leads from the time when it owns the leader key until its lease may have
 * expired.
 */
export class SimElection implements Election {
  readonly accessPoints: readonly AccessPoint[];
  readonly #options: SimElectionOptions;
  #view: LeaderView = { kind: "following", leader: undefined };
  #lease = 0;
  /** The lease of the last term, which is never resumed, not even after a late answer. */
  #gone = 0;
  #term: { readonly number: number; readonly control: AbortController } | undefined;
  #holds = 0;

  constructor(options: SimElectionOptions) {
    this.#options = options;
    this.accessPoints = options.accessPoints.map((address) => ({ address, hasReplica: true }));
  }

  async run(
    onChange: (view: LeaderView) => void,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const { etcd, process, self } = this.#options;
    onChange(this.#view);
    try {
      for (;;) {
        const sent = process.now();
        try {
          const status = await etcd.campaign(process, self, this.#lease);
          signal.throwIfAborted();
          this.#apply(status, sent, onChange);
        } catch (error) {
          if (!(error instanceof EtcdFailure)) throw error;
        }
        await process.delay(CAMPAIGN_MS * (0.75 + process.random() / 2), { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      this.#end(signal.reason, onChange);
      await etcd.resign(process, self, this.#lease).catch(() => {});
    }
  }

  #apply({ lease, leader }: ElectionStatus, sent: number, onChange: (view: LeaderView) => void): void {
    const { process, self } = this.#options;
    if (lease === this.#gone) return;
    if (lease !== this.#lease) this.#end(faultLeadershipLost("continue the term of this host"), onChange);
    this.#lease = lease;
    const until = sent + LEASE_MS - MARGIN_MS;
    this.#holds = until;
    process.after(until - process.now(), () => {
      if (this.#holds === until) this.#end(faultLeadershipLost("continue the term of this host"), onChange);
    });
    if (leader?.lease === lease) {
      if (this.#term?.number === leader.term || process.now() >= until) return;
      const control = new AbortController();
      this.#term = { number: leader.term, control };
      const store = new TermStore(this.#options, leader.term, (reason) => this.#end(reason, onChange));
      const { signal } = control;
      const holds = () => !signal.aborted && process.now() < this.#holds;
      this.#change({ kind: "leading", term: { number: leader.term, store, signal, holds } }, onChange);
      return;
    }
    this.#end(faultLeadershipLost("continue the term of this host"), onChange);
    const address = leader?.address.host === self.host ? undefined : leader?.address;
    if (this.#view.kind === "following" && this.#view.leader?.host === address?.host) return;
    this.#change({ kind: "following", leader: address }, onChange);
  }

  #end(reason: unknown, onChange: (view: LeaderView) => void): void {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    // A lost term is never resumed: the next term needs a new lease.
    this.#gone = this.#lease;
    this.#lease = 0;
    term.control.abort(reason);
    this.#change({ kind: "following", leader: undefined }, onChange);
  }

  #change(view: LeaderView, onChange: (view: LeaderView) => void): void {
    this.#view = view;
    onChange(view);
  }
}

/** The members during one term. Like the real store, it finds out the outcome of a commit, or gives up the term. */
class TermStore implements MemberStore {
  readonly #options: SimElectionOptions;
  readonly #term: number;
  readonly #giveUp: (reason: unknown) => void;
  #count = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SimElectionOptions, term: number, giveUp: (reason: unknown) => void) {
    this.#options = options;
    this.#term = term;
    this.#giveUp = giveUp;
  }

  async load(): Promise<readonly Member[]> {
    return (await this.#read()).members;
  }

  async loadPools(): Promise<readonly PoolRecord[]> {
    return (await this.#read()).pools;
  }

  async #read() {
    const { etcd, process, self } = this.#options;
    try {
      return await etcd.load(process, self, this.#term);
    } catch (error) {
      throw error instanceof EtcdFailure ? faultMemberStore("etcd", error) : error;
    }
  }

  commit(members: readonly MemberChange[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#inTurn({ members, pools: [] }, signal);
  }

  commitPools(pools: readonly PoolChange[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#inTurn({ members: [], pools }, signal);
  }

  async loadEvents(): Promise<readonly EventRecord[]> {
    return (await this.#read()).events;
  }

  async commitEvents(change: EventChange): Promise<void> {
    const { etcd, process, self } = this.#options;
    try {
      await etcd.commitEvents(process, self, this.#term, change);
    } catch (error) {
      throw error instanceof EtcdFailure ? faultMemberStore("etcd", error) : error;
    }
  }

  #inTurn(changes: StoreChanges, signal: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#commit(changes, signal));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #commit(changes: StoreChanges, signal: AbortSignal): Promise<void> {
    const { etcd, process, self } = this.#options;
    const name = `${this.#term}/${++this.#count}`;
    const until = process.now() + OUTCOME_MS;
    for (let mayBeDone = false; ; ) {
      if (!mayBeDone) signal.throwIfAborted();
      try {
        await etcd.commit(process, self, this.#term, name, changes);
        return;
      } catch (error) {
        if (!(error instanceof EtcdFailure)) throw error;
        mayBeDone ||= error.unknown;
        if (!mayBeDone) throw faultMemberStore("etcd", error);
        if (process.now() > until) {
          const lost = faultLeadershipLost(`commit ${name} of members`);
          this.#giveUp(lost);
          throw lost;
        }
      }
      await process.delay(PAUSE_MS, {});
    }
  }

  async close(): Promise<void> {
    await this.#last;
  }
}
