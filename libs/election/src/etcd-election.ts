import type { EtcdClient } from "@daos/etcd";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress, sameAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import {
  checkEtcdIdentity,
  type EtcdIdentity,
  type EtcdIdentityOptions,
  type EtcdKeys,
  EtcdMemberStore,
  etcdKeys,
  faultLeadershipLost,
  type Member,
  readMembersInEtcd,
} from "@daos/member-store";
import { BackOff } from "@daos/sys";
import type { AccessPoint, Election, LeaderView, Term } from "./election.ts";
import { ElectionSession, type ElectionStatus, type LeaderEntry } from "./election-session.ts";
import { faultElectionUnreachable } from "./faults.ts";

export interface EtcdElectionOptions {
  /** The election uses it until `run` has resolved, and does not dispose of it. */
  readonly client: EtcdClient;
  /** Name of the DAOS system. */
  readonly system: string;
  /** This host, as the other hosts reach it. */
  readonly address: HostAddress;
  /** Returns whether its engine has a replica now; called repeatedly. */
  readonly hasReplica: () => boolean;
  /** `lease_duration` of the configuration, s; 3 by default. */
  readonly leaseSeconds?: number | undefined;
  /** What this host has seen of the store. Without it, an etcd that comes back empty is not detected. */
  readonly marker?: EtcdIdentityOptions["marker"] | undefined;
  readonly log: Logger;
}

const PAUSES = { firstMs: 100, maxMs: 2_000 };
/** Interval at which etcd's revision is written to the marker while nothing else happens, ms. */
const MARKER_MS = 5_000;

/**
 * An election through etcd. The host that creates the leader key leads until the lease of the key ends. When there is no key,
 * the first host creates it. The order of the access points does not matter: a leader is not replaced by an earlier one.
 */
export class EtcdElection implements Election {
  readonly #options: EtcdElectionOptions;
  readonly #keys: EtcdKeys;
  readonly #log: Logger;
  #accessPoints: readonly AccessPoint[] | undefined;
  #view: LeaderView = { kind: "following", leader: undefined };
  /** Ends the term that is under way. */
  #endTerm: ((reason: unknown) => void) | undefined;
  /** The views for the next calls of `onChange`, and whether a call is under way. */
  readonly #pending: LeaderView[] = [];
  #notifying = false;
  #outage: Fault | undefined;
  #identity: EtcdIdentity | undefined;
  #markedAt = 0;
  /** A lease that could not be revoked; its leader key may still be there. */
  #kept: ElectionSession | undefined;

  constructor(options: EtcdElectionOptions) {
    this.#options = options;
    this.#keys = etcdKeys(options.system);
    this.#log = options.log;
  }

  get accessPoints(): readonly AccessPoint[] {
    return this.#accessPoints ?? [this.#self()];
  }

  get outage(): Fault | undefined {
    return this.#outage;
  }

  async run(
    onChange: (view: LeaderView) => void,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    this.#notify(this.#view, onChange);
    const backOff = new BackOff(PAUSES);
    while (!signal.aborted) {
      try {
        await this.#takePart(onChange, signal, () => backOff.reset());
      } catch (error) {
        if (signal.aborted) break;
        this.#noteOutage(error);
      }
      await backOff.wait({ signal }).catch(() => {});
    }
  }

  /** @throws EtcdError; Fault memberStoreReplaced for an etcd that is not as this host has seen it before */
  async readMembers(wait: { readonly signal: AbortSignal }): Promise<readonly Member[]> {
    if (this.#outage?.code === FaultCode.memberStoreReplaced) throw this.#outage;
    const { client, system } = this.#options;
    return (await readMembersInEtcd(client, system, wait)).members;
  }

  /** Takes part under one lease. @throws the reason for which it ended */
  async #takePart(
    onChange: (view: LeaderView) => void,
    signal: AbortSignal,
    onReached: () => void,
  ): Promise<void> {
    const { client, marker } = this.#options;
    this.#identity = marker && (await checkEtcdIdentity(client, { keys: this.#keys, marker, signal }));
    const session = await ElectionSession.begin(
      {
        client,
        keys: this.#keys,
        self: () => this.#self(),
        identityCreated: this.#identity?.createRevision,
        leaseSeconds: this.#options.leaseSeconds,
      },
      { signal },
    );
    await this.#kept?.resign();
    this.#kept = undefined;
    const onAbort = () => session.end(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    session.signal.addEventListener("abort", () => this.#follow(undefined, onChange), { once: true });
    try {
      await session.run((status) => {
        onReached();
        this.#noteReached(status);
        this.#noteRevision(status);
        this.#apply(status, session, onChange);
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (!(await session.resign())) this.#kept = session;
    }
  }

  #apply(
    { leader, accessPoints }: ElectionStatus,
    session: ElectionSession,
    onChange: (view: LeaderView) => void,
  ): void {
    this.#accessPoints = accessPoints;
    if (leader?.isSelf === true) {
      this.#lead(leader, session, onChange);
      return;
    }
    // The key of an earlier run of this server stays until its lease ends. It does not name a leader to ask.
    const address = leader?.accessPoint.address;
    const isOwn = address !== undefined && sameAddress(address, this.#options.address);
    this.#follow(isOwn ? undefined : address, onChange);
  }

  #lead({ term: number }: LeaderEntry, session: ElectionSession, onChange: (view: LeaderView) => void): void {
    if (this.#view.kind === "leading" && this.#view.term.number === number) return;
    this.#endTerm?.(
      faultLeadershipLost(`continue this term after term ${number} of another leader has begun`),
    );
    const controller = new AbortController();
    const { signal } = controller;
    const holds = () => !signal.aborted && session.holds();
    const store = new EtcdMemberStore({
      client: this.#options.client,
      system: this.#options.system,
      term: {
        number,
        signal,
        holds,
        giveUp: (reason) => session.end(reason),
      },
    });
    this.#endTerm = (reason) => {
      this.#endTerm = undefined;
      controller.abort(reason);
      void store.close();
    };
    const term: Term = { number, store, signal, holds };
    this.#change({ kind: "leading", term }, onChange);
  }

  #follow(leader: HostAddress | undefined, onChange: (view: LeaderView) => void): void {
    this.#endTerm?.(faultLeadershipLost("continue the term of this host as leader"));
    const before = this.#view;
    const same =
      before.kind === "following" &&
      (before.leader === undefined || leader === undefined
        ? before.leader === leader
        : sameAddress(before.leader, leader));
    if (!same) this.#change({ kind: "following", leader }, onChange);
  }

  #change(view: LeaderView, onChange: (view: LeaderView) => void): void {
    this.#view = view;
    this.#notify(view, onChange);
  }

  /** `onChange` may end a term; the next view follows when it has returned. */
  #notify(view: LeaderView, onChange: (view: LeaderView) => void): void {
    this.#pending.push(view);
    if (this.#notifying) return;
    this.#notifying = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) onChange(next);
    } finally {
      this.#notifying = false;
    }
  }

  #self(): AccessPoint {
    return { address: this.#options.address, hasReplica: this.#options.hasReplica() };
  }

  #noteOutage(error: unknown): void {
    const fault = error instanceof Fault ? error : faultElectionUnreachable(error);
    if (this.#outage?.code !== fault.code)
      this.#log.warn("this host takes no part in the election, and tries again", { error: fault });
    this.#outage = fault;
  }

  #noteReached({ spaceExceeded, leader }: ElectionStatus): void {
    if (spaceExceeded !== undefined) {
      if (this.#outage === undefined)
        this.#log.error(
          "etcd takes no writes: what changes is not recorded, and the leader cannot be replaced",
          {
            leader: leader && formatHostAddress(leader.accessPoint.address),
            fault: faultElectionUnreachable(spaceExceeded),
          },
        );
      this.#outage = faultElectionUnreachable(spaceExceeded);
      return;
    }
    if (this.#outage === undefined) return;
    this.#outage = undefined;
    this.#log.info("this host takes part in the election again");
  }

  /** The marker may lag behind: a copy of etcd that is restored is older than some seconds. */
  #noteRevision({ revision }: ElectionStatus): void {
    const { marker } = this.#options;
    if (marker === undefined || this.#identity === undefined) return;
    if (performance.now() - this.#markedAt < MARKER_MS) return;
    this.#markedAt = performance.now();
    const { identity } = this.#identity;
    if (revision <= identity.revision) return;
    this.#identity = { ...this.#identity, identity: { ...identity, revision } };
    marker.write(this.#identity.identity);
  }
}
