import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  bytes,
  type CallOptions,
  type EtcdCalls,
  type EtcdClient,
  EtcdError,
  isSpaceExceeded,
  prefixEnd,
  text,
} from "@daos/etcd";
import { formatHostAddress } from "@daos/hostlist";
import type { EtcdKeys, Operation } from "@daos/member-store";
import { etcd } from "@daos/proto";
import { delay } from "@daos/sys";
import type { AccessPoint } from "./election.ts";
import { decodeAccessPoint, decodeLeaseSeconds, encodeAccessPoint } from "./encode-access-point.ts";
import { Notifier } from "./notifier.ts";

/** The state of the election in etcd. */
export interface ElectionStatus {
  /** The leader; undefined when there is none. */
  readonly leader: LeaderEntry | undefined;
  readonly accessPoints: readonly AccessPoint[];
  /** etcd refuses writes with its alarm NOSPACE: the leader stays, and cannot be replaced. */
  readonly spaceExceeded: EtcdError | undefined;
  /** As etcd answered. */
  readonly revision: number;
}

export interface LeaderEntry {
  readonly accessPoint: AccessPoint;
  /** Revision at which its key was created. */
  readonly term: number;
  /** It is this candidate, under this lease. */
  readonly isSelf: boolean;
}

export interface ElectionSessionOptions {
  readonly client: EtcdClient;
  readonly keys: EtcdKeys;
  readonly self: () => AccessPoint;
  /** The revision at which the identity of the store was created: no term begins in a store without it. */
  readonly identityCreated?: bigint | undefined;
  /** Time to live of a lease, and the time after which a leader without a heartbeat is replaced, s; 3 by default. */
  readonly leaseSeconds?: number | undefined;
  /** Interval at which the leader compacts etcd's older revisions, ms; 5 minutes by default, as in Kubernetes. */
  readonly compactMs?: number | undefined;
}

/** `lease_duration` by default. */
export const DEFAULT_LEASE_SECONDS = 3;
/** Time between two rounds when etcd sends no change, as a part of the lease: 750 ms of 3 s. */
const RENEW_PART = 1 / 4;
/** Timeout of one call to a member of etcd, as a part of the lease: 800 ms of 3 s. */
const CALL_PART = 4 / 15;
/** Lease and term end earlier by this part for the candidate than for the others: clocks may run at different speeds. */
const MARGIN_PART = 2 / 15;
const PAUSE_MS = 100;
const RESIGN_MS = 2_000;
const COMPACT_MS = 300_000;

/**
 * One lease of an access point, from its grant until it may have ended, and what depends on it: the entry in the list
 * of access points, and perhaps the leader key.
 *
 * Each round reads the state of the election, then renews the lease, both at the same member of etcd. The read comes
 * first: a member that was frozen and still believes that it leads etcd renews leases that the other members have
 * expired, and a linearizable read corrects it. A leader then writes its key again, which is its heartbeat. A follower
 * that has seen no heartbeat for the duration of the leader's lease deletes the key: when etcd loses its own leader at
 * the same time, it extends all leases by some seconds.
 *
 * A candidate counts lease and heartbeat from before it sent them, by the monotonic clock. The others count from when
 * they saw them, which is later. A lease that has expired is never renewed.
 */
export class ElectionSession {
  /** Aborts before etcd can end the lease. */
  readonly signal: AbortSignal;
  readonly #options: ElectionSessionOptions;
  readonly #lease: bigint;
  readonly #leaseSeconds: number;
  readonly #controller = new AbortController();
  readonly #notifier = new Notifier();
  /** When the lease ends for this candidate. */
  #leaseEnd: number;
  /** When its term as leader ends, unless another heartbeat succeeds; absent while it does not lead. */
  #termEnd: number | undefined;
  /** The newest heartbeat that was seen of a leader, and the time when it was seen. */
  #lastSeen = { revision: 0n, at: 0, leaseSeconds: 0 };
  #compaction = { at: 0, revision: 0n };
  #timer: NodeJS.Timeout | undefined;
  /** etcd's last refusal for want of space; undefined once it has taken a write. */
  #spaceExceeded: EtcdError | undefined;
  /** As the last round saw it. */
  #revision = 0n;
  /** Why the last round failed. */
  #failure: unknown;

  private constructor(options: ElectionSessionOptions, lease: bigint, leaseEnd: number) {
    this.#options = options;
    this.#lease = lease;
    this.#leaseSeconds = options.leaseSeconds ?? DEFAULT_LEASE_SECONDS;
    this.#leaseEnd = leaseEnd;
    this.signal = this.#controller.signal;
    this.#setTimer();
  }

  /** Gets a lease. @throws EtcdError; the signal's reason */
  static async begin(
    options: ElectionSessionOptions,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ElectionSession> {
    const askedAt = performance.now();
    const { ID, TTL } = await options.client.leaseGrant(options.leaseSeconds ?? DEFAULT_LEASE_SECONDS, {
      signal,
    });
    return new ElectionSession(options, ID, endOf(askedAt, Number(TTL)));
  }

  /** False as soon as the lease may have ended, also when the timer of the signal is late. */
  holds(): boolean {
    return !this.signal.aborted && performance.now() < this.#end();
  }

  /** Ends the lease early. */
  end(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#controller.abort(reason);
  }

  /**
   * Revokes the lease, so that the next leader need not wait for its end. Resolves with false when etcd is not reached; the
   * lease then expires by itself.
   */
  async resign(): Promise<boolean> {
    this.end(new Error("resigned"));
    const call = { signal: AbortSignal.timeout(RESIGN_MS), timeoutMs: this.#callMs };
    return this.#options.client.leaseRevoke(this.#lease, call).then(
      () => true,
      () => false,
    );
  }

  /** Calls `onStatus` after every round, as long as the lease is good. @throws the reason for which it ended */
  async run(onStatus: (status: ElectionStatus) => void): Promise<never> {
    void this.#listen();
    while (true) {
      try {
        onStatus(await this.#round());
        this.#failure = undefined;
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof EtcdError)) throw error;
        this.#failure = error;
        await delay(PAUSE_MS * (0.5 + Math.random()), this);
        continue;
      }
      await this.#notifier.wait(Math.min(this.#leaseSeconds * 1000 * RENEW_PART, this.#untilOverdue()), this);
    }
  }

  #end(): number {
    return Math.min(this.#leaseEnd, this.#termEnd ?? Number.POSITIVE_INFINITY);
  }

  get #callMs(): number {
    return this.#leaseSeconds * 1000 * CALL_PART;
  }

  /** Time left until the leader's heartbeat is overdue, ms, by the leader's own lease. Infinite on the leader itself. */
  #untilOverdue(): number {
    const { revision, at, leaseSeconds } = this.#lastSeen;
    if (this.#termEnd !== undefined || revision === 0n) return Number.POSITIVE_INFINITY;
    return Math.max(0, at + leaseSeconds * 1000 - performance.now());
  }

  async #round(): Promise<ElectionStatus> {
    const { client, keys, self } = this.#options;
    const kvs = await client.onOneMember((member) => this.#renew(member), this.#call());
    const entry = encodeAccessPoint(self(), this.#leaseSeconds);
    if (this.#spaceExceeded !== undefined) await this.#probeSpace(entry);
    const leader = await this.#leader(kvs, entry);
    const ownKey = `${keys.accessPoints}${formatHostAddress(self().address)}`;
    const listed = kvs.filter(({ key }) => text(key).startsWith(keys.accessPoints));
    if (!listed.some((kv) => kv.lease === this.#lease && text(kv.value) === entry)) {
      await this.#whereThereIsSpace(() => this.#putEntry(entry));
    }
    const others = listed.filter(({ key }) => text(key) !== ownKey).map(({ value }) => text(value));
    this.#checkTime();
    return {
      leader: leader === undefined ? undefined : this.#leaderEntry(leader),
      accessPoints: [entry, ...others].toSorted().map(decodeAccessPoint),
      spaceExceeded: this.#spaceExceeded,
      revision: Number(this.#revision),
    };
  }

  async #putEntry(entry: string): Promise<void> {
    const key = `${this.#options.keys.accessPoints}${formatHostAddress(this.#options.self().address)}`;
    await this.#options.client.put(
      { key: bytes(key), value: bytes(entry), lease: this.#lease },
      this.#call(),
    );
  }

  /** @returns undefined when etcd refuses the write for want of space */
  async #whereThereIsSpace<T>(write: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await write();
      this.#spaceExceeded = undefined;
      return result;
    } catch (error) {
      if (!isSpaceExceeded(error)) throw error;
      this.#spaceExceeded = error;
      return undefined;
    }
  }

  /**
   * The leader's heartbeat may have been refused too. The time without heartbeat is counted from etcd's next write on;
   * otherwise a live leader would be replaced as soon as the alarm is cleared.
   */
  async #probeSpace(entry: string): Promise<void> {
    await this.#whereThereIsSpace(() => this.#putEntry(entry));
    this.#lastSeen = { ...this.#lastSeen, at: performance.now() };
  }

  #call(): CallOptions {
    return { signal: this.signal, timeoutMs: this.#callMs };
  }

  async #renew(member: EtcdCalls): Promise<readonly etcd.KeyValue[]> {
    const { keys } = this.#options;
    const askedAt = performance.now();
    const range = { key: bytes(keys.election), rangeEnd: prefixEnd(keys.election) };
    const { kvs, header } = await member.range(range, this.#call());
    const ttlSeconds = await member.leaseKeepAlive(this.#lease, this.#call());
    this.#revision = header?.revision ?? 0n;
    if (ttlSeconds === 0) this.end(new Error("etcd has ended the lease"));
    this.#checkTime();
    this.#leaseEnd = endOf(askedAt, ttlSeconds);
    this.#setTimer();
    if (this.#termEnd !== undefined && header !== undefined) this.#compact(header.revision);
    return kvs;
  }

  /**
   * Does this candidate's part, a heartbeat or the replacement of a leader that sends none, and returns who leads now.
   */
  async #leader(kvs: readonly etcd.KeyValue[], entry: string): Promise<etcd.KeyValue | undefined> {
    const found = kvs.find(({ key }) => text(key) === this.#options.keys.leader);
    if (found === undefined) return this.#campaign(entry);
    if (found.lease === this.#lease) return this.#renewTerm(found, entry);
    this.#termEnd = undefined;
    this.#see(found);
    if (this.#untilOverdue() > 0) return found;
    if ((await this.#whereThereIsSpace(() => this.#expireLeader(found, entry))) === undefined) return found;
    return this.#campaign(entry);
  }

  #see({ modRevision: revision, value }: etcd.KeyValue): void {
    if (revision <= this.#lastSeen.revision) return;
    // A server that does not write the duration of its lease has the default.
    const leaseSeconds = decodeLeaseSeconds(text(value)) ?? DEFAULT_LEASE_SECONDS;
    this.#lastSeen = { revision, at: performance.now(), leaseSeconds };
  }

  /** Becomes the leader if there still is none; resolves with who leads now. */
  async #campaign(entry: string): Promise<etcd.KeyValue | undefined> {
    const askedAt = performance.now();
    const answered = await this.#whereThereIsSpace(() =>
      this.#options.client.txn(
        {
          compare: [this.#compareLeader({ case: "createRevision", value: 0n }), ...this.#compareIdentity()],
          success: [this.#putLeader(entry), this.#readLeader()],
          failure: [this.#readLeader()],
        },
        this.#call(),
      ),
    );
    const answer = answered?.responses.at(-1)?.response;
    const leader = answer?.case === "responseRange" ? answer.value.kvs[0] : undefined;
    if (answered !== undefined && leader === undefined)
      this.end(new Error("the identity of the store has gone from etcd"));
    this.#extendTerm(leader?.lease === this.#lease ? askedAt : undefined);
    return leader;
  }

  /** Shows that the leader, this candidate, is alive; resolves with undefined when it no longer leads. */
  async #renewTerm(leader: etcd.KeyValue, entry: string): Promise<etcd.KeyValue | undefined> {
    const askedAt = performance.now();
    const answer = await this.#whereThereIsSpace(() =>
      this.#options.client.txn(
        {
          compare: [this.#compareLeader({ case: "createRevision", value: leader.createRevision })],
          success: [this.#putLeader(entry)],
        },
        this.#call(),
      ),
    );
    // Without space etcd takes neither heartbeats nor another candidate, so only the lease counts.
    const leads = answer === undefined || answer.succeeded;
    this.#extendTerm(leads ? askedAt : undefined);
    return leads ? leader : undefined;
  }

  #compareIdentity(): readonly MessageInitShape<typeof etcd.CompareSchema>[] {
    const { identityCreated, keys } = this.#options;
    if (identityCreated === undefined) return [];
    const { CREATE } = etcd.Compare_CompareTarget;
    const targetUnion = { case: "createRevision", value: identityCreated } as const;
    return [{ key: bytes(keys.identity), target: CREATE, targetUnion }];
  }

  #extendTerm(askedAt: number | undefined): void {
    this.#checkTime();
    this.#termEnd = askedAt === undefined ? undefined : endOf(askedAt, this.#leaseSeconds);
    this.#setTimer();
  }

  /**
   * Deletes the key of a leader that has sent no heartbeat since the one that was seen long ago. The same transaction
   * writes this candidate's entry: without space etcd would take the deletion and no heartbeat, and the system would
   * lose its leader.
   */
  #expireLeader(leader: etcd.KeyValue, entry: string): Promise<etcd.TxnResponse> {
    const { keys, client, self } = this.#options;
    const key = bytes(`${keys.accessPoints}${formatHostAddress(self().address)}`);
    return client.txn(
      {
        compare: [this.#compareLeader({ case: "modRevision", value: leader.modRevision })],
        success: [
          { request: { case: "requestDeleteRange", value: { key: leader.key } } },
          { request: { case: "requestPut", value: { key, value: bytes(entry), lease: this.#lease } } },
        ],
      },
      this.#call(),
    );
  }

  #compareLeader(union: LeaderRevision): MessageInitShape<typeof etcd.CompareSchema> {
    const { CREATE, MOD } = etcd.Compare_CompareTarget;
    const target = union.case === "createRevision" ? CREATE : MOD;
    return { key: bytes(this.#options.keys.leader), target, targetUnion: union };
  }

  #putLeader(entry: string): Operation {
    const value = { key: bytes(this.#options.keys.leader), value: bytes(entry), lease: this.#lease };
    return { request: { case: "requestPut", value } };
  }

  #readLeader(): Operation {
    return { request: { case: "requestRange", value: { key: bytes(this.#options.keys.leader) } } };
  }

  /** Overwritten heartbeats and commits would fill etcd. */
  #compact(revision: bigint): void {
    const now = performance.now();
    if (now < this.#compaction.at) return;
    const old = this.#compaction.revision;
    this.#compaction = { at: now + (this.#options.compactMs ?? COMPACT_MS), revision };
    if (old === 0n) return;
    // Another candidate may have done it, or the next attempt will.
    this.#options.client.compact(old, this.#call()).catch(() => {});
  }

  #leaderEntry({ value, createRevision, lease }: etcd.KeyValue): LeaderEntry {
    return {
      accessPoint: decodeAccessPoint(text(value)),
      term: Number(createRevision),
      isSelf: lease === this.#lease,
    };
  }

  /** Makes the next round begin as soon as etcd sends a change. Rounds also come without it. */
  async #listen(): Promise<void> {
    const { client, keys } = this.#options;
    const range = { key: bytes(keys.election), rangeEnd: prefixEnd(keys.election) };
    while (!this.signal.aborted) {
      try {
        for await (const { created, events } of client.watch(range, this)) {
          if (created || !events.every((event) => this.#isHeartbeat(event))) this.#notifier.now();
        }
      } catch {
        await delay(PAUSE_MS, this).catch(() => {});
      }
    }
  }

  /** True for a failure that only needs to be recorded. */
  #isHeartbeat({ kv, type }: etcd.Event): boolean {
    if (kv === undefined || type !== etcd.Event_EventType.PUT || kv.version === 1n) return false;
    if (text(kv.key) !== this.#options.keys.leader) return false;
    this.#see(kv);
    return true;
  }

  /** Rejects late results: this process may have been frozen. @throws the reason */
  #checkTime(): void {
    if (!this.holds()) this.#expire();
    this.signal.throwIfAborted();
  }

  #expire(): void {
    this.end(this.#failure ?? new Error("the lease could not be renewed in time"));
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire(), this.#end() - performance.now());
  }
}

type LeaderRevision = { readonly case: "createRevision" | "modRevision"; readonly value: bigint };

function endOf(askedAt: number, ttlSeconds: number): number {
  return askedAt + ttlSeconds * 1000 * (1 - MARGIN_PART);
}
