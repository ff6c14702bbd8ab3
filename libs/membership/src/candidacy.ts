import { bytes, type EtcdCalls, type EtcdClient, EtcdError, prefixEnd, text } from "@daos/etcd";
import { formatHostAddress } from "@daos/hostlist";
import { etcd } from "@daos/proto";
import { delay } from "@daos/sys";
import type { AccessPoint } from "./election.ts";
import { decodeAccessPoint, encodeAccessPoint } from "./encode-access-point.ts";
import type { EtcdKeys } from "./etcd-keys.ts";
import { Wake } from "./wake.ts";

/** How things stand in etcd. */
export interface Standing {
  /** Who leads, absent when nobody does. */
  readonly leader: LeaderEntry | undefined;
  readonly accessPoints: readonly AccessPoint[];
}

export interface LeaderEntry {
  readonly accessPoint: AccessPoint;
  /** Revision at which its key was created. */
  readonly term: number;
  /** It is this candidate, under this lease. */
  readonly isSelf: boolean;
}

export interface CandidacyOptions {
  readonly client: EtcdClient;
  readonly keys: EtcdKeys;
  readonly self: () => AccessPoint;
  readonly ttlSeconds: number;
}

/** Time between two rounds when etcd tells of no change. */
const ROUND_MS = 750;
/** A member of etcd may take this long for one call of a round. */
const CALL_MS = 800;
/** By so much the lease ends earlier for the candidate than for etcd: for clocks that run at different speeds. */
const MARGIN_MS = 400;
const PAUSE_MS = 100;
const RESIGN_MS = 2_000;

/**
 * One lease of an access point, from its grant until it may have ended, and what hangs on it: the entry in the list of
 * access points, and perhaps the leader key.
 *
 * In every round it reads how things stand, then keeps the lease alive, both at the same member of etcd. In this order,
 * because a member that was frozen and takes itself for the cluster's leader keeps leases alive that the others end; once
 * it has answered a linearizable read it knows better. The lease is good for its time to live counted from before the
 * read, by the monotonic clock. When it was not renewed before that is over it never is again.
 */
export class Candidacy {
  /** Aborts before etcd can end the lease. */
  readonly signal: AbortSignal;
  readonly #options: CandidacyOptions;
  readonly #lease: bigint;
  readonly #controller = new AbortController();
  readonly #wake = new Wake();
  #goodUntil: number;
  #timer: NodeJS.Timeout | undefined;
  /** Why the last round failed. */
  #failure: unknown;

  private constructor(options: CandidacyOptions, lease: bigint, goodUntil: number) {
    this.#options = options;
    this.#lease = lease;
    this.#goodUntil = goodUntil;
    this.signal = this.#controller.signal;
    this.#setTimer();
  }

  /** Gets a lease. @throws EtcdError; the signal's reason */
  static async begin(
    options: CandidacyOptions,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Candidacy> {
    const askedAt = performance.now();
    const { ID, TTL } = await options.client.leaseGrant(options.ttlSeconds, { signal });
    return new Candidacy(options, ID, endOf(askedAt, Number(TTL)));
  }

  /** False as soon as the lease may have ended, also when the timer of the signal is late. */
  holds(): boolean {
    return !this.signal.aborted && performance.now() < this.#goodUntil;
  }

  /** Ends it early. */
  end(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#controller.abort(reason);
  }

  /**
   * Gives the lease back, so that nobody waits for its end. Where etcd is not reached it ends by itself: then this resolves
   * with false.
   */
  async resign(): Promise<boolean> {
    this.end(new Error("resigned"));
    const call = { signal: AbortSignal.timeout(RESIGN_MS), timeoutMs: CALL_MS };
    return this.#options.client.leaseRevoke(this.#lease, call).then(
      () => true,
      () => false,
    );
  }

  /** Calls `onStanding` after every round, as long as the lease is good. @throws the reason for which it ended */
  async run(onStanding: (standing: Standing) => void): Promise<never> {
    void this.#listen();
    while (true) {
      try {
        onStanding(await this.#round());
        this.#failure = undefined;
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof EtcdError)) throw error;
        this.#failure = error;
        await delay(PAUSE_MS * (0.5 + Math.random()), this);
        continue;
      }
      await this.#wake.wait(ROUND_MS, this);
    }
  }

  async #round(): Promise<Standing> {
    const { client, keys, self } = this.#options;
    const call = { signal: this.signal, timeoutMs: CALL_MS };
    const kvs = await client.onOneMember((member) => this.#renew(member), call);
    const entry = encodeAccessPoint(self());
    const leader = kvs.find(({ key }) => text(key) === keys.leader) ?? (await this.#campaign(entry));
    const ownKey = `${keys.accessPoints}${formatHostAddress(self().address)}`;
    const listed = kvs.filter(({ key }) => text(key).startsWith(keys.accessPoints));
    if (!listed.some((kv) => kv.lease === this.#lease && text(kv.value) === entry)) {
      await client.put({ key: bytes(ownKey), value: bytes(entry), lease: this.#lease }, call);
    }
    const others = listed.filter(({ key }) => text(key) !== ownKey).map(({ value }) => text(value));
    this.#checkTime();
    return {
      leader: leader === undefined ? undefined : this.#leaderEntry(leader),
      accessPoints: [entry, ...others].toSorted().map(decodeAccessPoint),
    };
  }

  async #renew(member: EtcdCalls): Promise<readonly etcd.KeyValue[]> {
    const { keys } = this.#options;
    const call = { signal: this.signal, timeoutMs: CALL_MS };
    const askedAt = performance.now();
    const { kvs } = await member.range(
      { key: bytes(keys.election), rangeEnd: prefixEnd(keys.election) },
      call,
    );
    const ttlSeconds = await member.leaseKeepAlive(this.#lease, call);
    if (ttlSeconds === 0) this.end(new Error("etcd has ended the lease"));
    this.#checkTime();
    this.#goodUntil = endOf(askedAt, ttlSeconds);
    this.#setTimer();
    return kvs;
  }

  /** Becomes the leader if there still is none; resolves with who leads now. */
  async #campaign(entry: string): Promise<etcd.KeyValue | undefined> {
    const key = bytes(this.#options.keys.leader);
    const read = { request: { case: "requestRange" as const, value: { key } } };
    const { responses } = await this.#options.client.txn(
      {
        compare: [
          {
            key,
            target: etcd.Compare_CompareTarget.CREATE,
            targetUnion: { case: "createRevision", value: 0n },
          },
        ],
        success: [
          { request: { case: "requestPut", value: { key, value: bytes(entry), lease: this.#lease } } },
          read,
        ],
        failure: [read],
      },
      { signal: this.signal, timeoutMs: CALL_MS },
    );
    const answer = responses.at(-1)?.response;
    return answer?.case === "responseRange" ? answer.value.kvs[0] : undefined;
  }

  #leaderEntry({ value, createRevision, lease }: etcd.KeyValue): LeaderEntry {
    return {
      accessPoint: decodeAccessPoint(text(value)),
      term: Number(createRevision),
      isSelf: lease === this.#lease,
    };
  }

  /** Makes the next round begin as soon as etcd tells of a change. Only a hint: rounds come without it too. */
  async #listen(): Promise<void> {
    const { client, keys } = this.#options;
    const range = { key: bytes(keys.election), rangeEnd: prefixEnd(keys.election) };
    while (!this.signal.aborted) {
      try {
        for await (const _ of client.watch(range, this)) this.#wake.now();
      } catch {
        await delay(PAUSE_MS, this).catch(() => {});
      }
    }
  }

  /** What came late must not count: this process may have been frozen. @throws the reason */
  #checkTime(): void {
    if (!this.holds()) this.#expire();
    this.signal.throwIfAborted();
  }

  #expire(): void {
    this.end(this.#failure ?? new Error("the lease could not be renewed in time"));
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire(), this.#goodUntil - performance.now());
  }
}

function endOf(askedAt: number, ttlSeconds: number): number {
  return askedAt + ttlSeconds * 1000 - MARGIN_MS;
}
