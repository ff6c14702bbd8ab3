import { bytes, EtcdError, prefixEnd, text } from "@daos/etcd";
import { FaultCode, hasCode } from "@daos/fault";
import { etcd } from "@daos/proto";
import { deadline, delay } from "@daos/sys";
import { addChecksum, verifyChecksum } from "./document-checksum.ts";
import { encodeEvent, readKeptEvent } from "./encode-event.ts";
import { encodeMember, isUnreadable, readKept } from "./encode-member.ts";
import { encodePool, isUnreadablePool, readKeptPool } from "./encode-pool.ts";
import { type EtcdKeys, etcdKeys } from "./etcd-keys.ts";
import type { EventChange, EventRecord } from "./event-record.ts";
import { faultLeadershipLost, faultMemberStore, faultMembersUnreadable } from "./faults.ts";
import type { Member } from "./member.ts";
import {
  type LoadOptions,
  lastOfEach,
  type MemberChange,
  type MemberStore,
  type UnreadableMember,
  uuidOf,
} from "./member-store.ts";
import { type PoolChange, type PoolRecord, poolUuidOf } from "./pool-record.ts";
import { RankIndex } from "./rank-index.ts";
import { type FencedTerm, type Operation, type StoreCalls, TermWriter } from "./term-writer.ts";

export interface EtcdMemberStoreOptions {
  readonly client: StoreCalls;
  /** Name of the DAOS system. */
  readonly system: string;
  readonly term: FencedTerm;
}

/** The limits of one transaction, in changes and bytes. etcd accepts 1.5 MiB per request. */
const MAX_CHANGES = 3_000;
const MAX_BYTES = 768 * 1024;
/** etcd's limit of 128 operations at each depth, less those of the enclosing transaction. */
const GROUP = 60;
const PAGE = 2_000n;
const READ_MS = 10_000;
const READ_ATTEMPT_MS = 3_000;
const PAUSE_MS = 100;
/** Keys of events sort by their number. */
const EVENT_DIGITS = 16;

/** An encoded change: a member's document, or undefined for a removal. */
interface Entry {
  readonly uuid: string;
  readonly document: string | undefined;
}

/**
 * Stores members in etcd, for one term of leadership: for systems with several access points.
 *
 * A commit is one transaction, even for thousands of members, because nested transactions have their own limit. A
 * commit that exceeds an etcd request is first written as a plan, in parts. It takes effect when the plan's ready key
 * is written. If the leader dies before it has applied a ready plan, the next leader applies it at load.
 */
export class EtcdMemberStore implements MemberStore {
  readonly #client: StoreCalls;
  readonly #keys: EtcdKeys;
  readonly #term: FencedTerm;
  readonly #writer: TermWriter;
  /** Only this store changes the ranks in this term. */
  readonly #ranks = new RankIndex();
  #loaded = false;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: EtcdMemberStoreOptions) {
    this.#client = options.client;
    this.#keys = etcdKeys(options.system);
    this.#term = options.term;
    this.#writer = new TermWriter({ client: options.client, keys: this.#keys, term: options.term });
  }

  load({ signal, onUnreadable }: LoadOptions): Promise<readonly Member[]> {
    return this.#inTurn(async () => {
      const { members, unreadable } = await this.#load(signal);
      if (onUnreadable !== undefined) unreadable.forEach(onUnreadable);
      else if (unreadable.length > 0) throw faultMembersUnreadable(this.#where, unreadable);
      return members;
    });
  }

  commit(changes: readonly MemberChange[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#loaded) await this.#load(signal);
      const last = lastOfEach(changes);
      this.#ranks.check(last);
      await this.#write(toEntries(last), signal);
      this.#ranks.note(last);
    });
  }

  loadPools({ signal, onUnreadable }: LoadOptions): Promise<readonly PoolRecord[]> {
    return this.#inTurn(async () => {
      if (!this.#loaded) await this.#load(signal);
      const entries = await this.#attempt(signal, (until) => this.#readEntries(this.#keys.pools, until));
      const pools: PoolRecord[] = [];
      for (const { uuid, document } of entries) {
        const kept = readKeptPool(uuid, document);
        if (isUnreadablePool(kept)) onUnreadable?.(kept);
        else pools.push(kept);
      }
      return pools;
    });
  }

  /** Changes that exceed one transaction, as in an import, take several transactions. */
  commitPools(changes: readonly PoolChange[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#loaded) await this.#load(signal);
      const last = [...new Map(changes.map((change) => [poolUuidOf(change), change])).values()];
      for (const entries of split(last.map(toPoolEntry))) {
        const operations = entries.map(({ uuid, document }) => {
          const key = `${this.#keys.pools}${uuid}`;
          return document === undefined ? remove(key) : put(key, document);
        });
        await this.#writer.write(inGroups(operations), signal);
      }
    });
  }

  async loadEvents({ signal }: Pick<LoadOptions, "signal">): Promise<readonly EventRecord[]> {
    const entries = await this.#attempt(signal, (until) => this.#readEntries(this.#keys.events, until));
    return entries.map(({ document }) => readKeptEvent(document)).filter((event) => event !== undefined);
  }

  /**
   * Writes beside the commits of members, which wait for each other: putting the same event twice changes nothing. A former
   * leader changes nothing either.
   */
  async commitEvents({ events, from }: EventChange, { signal }: Pick<LoadOptions, "signal">): Promise<void> {
    const { events: prefix, leader } = this.#keys;
    const key = (number: number) => `${prefix}${String(number).padStart(EVENT_DIGITS, "0")}`;
    const old = { key: bytes(prefix), rangeEnd: bytes(key(from)) };
    const request = {
      compare: [
        {
          key: bytes(leader),
          target: etcd.Compare_CompareTarget.CREATE,
          targetUnion: { case: "createRevision" as const, value: BigInt(this.#term.number) },
        },
      ],
      success: [
        ...inGroups(events.map((event) => put(key(event.number), encodeEvent(event)))),
        { request: { case: "requestDeleteRange" as const, value: old } },
      ],
    };
    try {
      const either = AbortSignal.any([signal, this.#term.signal]);
      const { succeeded } = await this.#client.txn(request, { signal: either, timeoutMs: READ_ATTEMPT_MS });
      if (!succeeded) throw faultLeadershipLost("keep events of the system");
    } catch (error) {
      throw error instanceof EtcdError ? this.#fault(error) : error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#closed && !this.#term.signal.aborted) throw this.#fault(new Error("it is closed"));
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #load(signal: AbortSignal): Promise<Pick<State, "members" | "unreadable">> {
    let state = await this.#read(signal);
    this.#writer.follow(state.lastCommit);
    if (state.plan !== undefined) {
      await this.#carryOut(state.plan, signal);
      state = await this.#read(signal);
    }
    this.#ranks.clear();
    for (const { uuid, rank } of state.members) this.#ranks.take(uuid, rank);
    this.#loaded = true;
    const { members, unreadable, old } = state;
    // If etcd is full, this is done in a later term.
    if (old.length > 0)
      await this.#write(old, signal).catch((error: unknown) => {
        if (!hasCode(error, FaultCode.memberStoreUnusable)) throw error;
      });
    return { members: members.toSorted((a, b) => a.rank - b.rank), unreadable };
  }

  async #write(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const parts = split(entries);
    const [part = []] = parts;
    if (parts.length <= 1) {
      await this.#writer.write(inGroups(part.map((entry) => this.#operation(entry))), signal);
      return;
    }
    for (const [index, entriesOfPart] of parts.entries()) {
      await this.#writer.write([put(this.#partKey(index), formatPart(entriesOfPart))], signal);
    }
    await this.#writer.write([put(this.#keys.plan, String(parts.length))], signal);
    // The commit has taken effect and must be applied next. From here only the end of the term stops it.
    await this.#carryOut(parts, this.#term.signal);
  }

  async #carryOut(parts: readonly (readonly Entry[])[], signal: AbortSignal): Promise<void> {
    try {
      for (const entries of parts) {
        await this.#writer.write(inGroups(entries.map((entry) => this.#operation(entry))), signal);
      }
      const rest = { key: bytes(this.#keys.planParts), rangeEnd: prefixEnd(this.#keys.planParts) };
      await this.#writer.write(
        [remove(this.#keys.plan), { request: { case: "requestDeleteRange", value: rest } }],
        signal,
      );
    } catch (error) {
      this.#term.giveUp(error);
      throw error;
    }
  }

  #partKey(index: number): string {
    return `${this.#keys.planParts}${String(index).padStart(6, "0")}`;
  }

  #operation({ uuid, document }: Entry): Operation {
    const key = `${this.#keys.members}${uuid}`;
    return document === undefined ? remove(key) : put(key, document);
  }

  /** Everything at one revision. */
  #read(signal: AbortSignal): Promise<State> {
    return this.#attempt(signal, (until) => this.#readOnce(until));
  }

  /** etcd may be electing its own leader: a read is retried until it succeeds. */
  async #attempt<T>(signal: AbortSignal, read: (until: AbortSignal) => Promise<T>): Promise<T> {
    using term = deadline(READ_MS, `members in etcd under ${this.#keys.members}`, this.#term.signal);
    using limit = deadline(READ_MS, `members in etcd under ${this.#keys.members}`, signal);
    const both = AbortSignal.any([term.signal, limit.signal]);
    while (true) {
      try {
        return await read(both);
      } catch (error) {
        signal.throwIfAborted();
        const mayPass = error instanceof EtcdError && error.outcome !== "refused";
        if (!mayPass || both.aborted) throw this.#fault(error);
      }
      await delay(PAUSE_MS, { signal: both }).catch(() => {});
    }
  }

  async #readOnce(signal: AbortSignal): Promise<State> {
    const { members: prefix, lastCommit, plan, planParts } = this.#keys;
    const call = { signal, timeoutMs: READ_ATTEMPT_MS };
    const range = (key: string, rangeEnd?: Uint8Array<ArrayBuffer>): Operation => ({
      request: { case: "requestRange", value: { key: bytes(key), ...(rangeEnd && { rangeEnd }) } },
    });
    const operations = [range(lastCommit), range(plan), range(planParts, prefixEnd(planParts))];
    const { responses, header } = await this.#client.txn({ success: operations }, call);
    const [last, ready, parts] = responses.map(({ response }) =>
      response.case === "responseRange" ? response.value.kvs : [],
    );
    const members: Member[] = [];
    const unreadable: UnreadableMember[] = [];
    const old: Entry[] = [];
    for (const { uuid, document } of await this.#readEntries(prefix, signal, header?.revision)) {
      const kept = readKept(uuid, document);
      if (isUnreadable(kept)) unreadable.push(kept);
      else members.push(kept);
      if (!isUnreadable(kept) && !verifyChecksum(document))
        old.push({ uuid, document: addChecksum(document) });
    }
    return {
      members,
      unreadable,
      old,
      lastCommit: last?.[0]?.modRevision ?? 0n,
      plan: ready?.[0] === undefined ? undefined : parsePlan(ready[0], parts ?? []),
    };
  }

  /** The documents under a prefix, in pages. */
  async #readEntries(
    prefix: string,
    signal: AbortSignal,
    revision = 0n,
  ): Promise<readonly { readonly uuid: string; readonly document: string }[]> {
    const call = { signal, timeoutMs: READ_ATTEMPT_MS };
    const entries: { readonly uuid: string; readonly document: string }[] = [];
    let key = bytes(prefix);
    while (true) {
      const page = await this.#client.range(
        { key, rangeEnd: prefixEnd(prefix), limit: PAGE, revision },
        call,
      );
      for (const { key: found, value } of page.kvs)
        entries.push({ uuid: text(found).slice(prefix.length), document: text(value) });
      const end = page.kvs.at(-1)?.key;
      if (!page.more || end === undefined) return entries;
      key = new Uint8Array([...end, 0]);
    }
  }

  #fault(error: unknown) {
    return faultMemberStore(this.#where, error);
  }

  get #where(): string {
    return `etcd under ${this.#keys.members}`;
  }
}

interface State {
  readonly members: readonly Member[];
  readonly unreadable: readonly UnreadableMember[];
  /** Documents of an earlier release, with the checksum that they still lack. */
  readonly old: readonly Entry[];
  readonly lastCommit: bigint;
  /** A commit that has taken effect and is not applied yet. */
  readonly plan: readonly (readonly Entry[])[] | undefined;
}

function toEntries(changes: readonly MemberChange[]): readonly Entry[] {
  return changes.map((change) => ({
    uuid: uuidOf(change),
    document: change.kind === "put" ? addChecksum(encodeMember(change.member)) : undefined,
  }));
}

function toPoolEntry(change: PoolChange): Entry {
  const document = change.kind === "put" ? addChecksum(encodePool(change.pool)) : undefined;
  return { uuid: poolUuidOf(change), document };
}

/** Splits a commit into parts, each small enough for one transaction. */
function split(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const parts: Entry[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const more = Buffer.byteLength(entry.document ?? "");
    const part = parts.at(-1);
    if (part === undefined || part.length === MAX_CHANGES || size + more > MAX_BYTES) {
      parts.push([entry]);
      size = more;
    } else {
      part.push(entry);
      size += more;
    }
  }
  return parts;
}

/** Operations that exceed one transaction, as nested transactions. */
function inGroups(operations: readonly Operation[]): readonly Operation[] {
  if (operations.length <= GROUP) return operations;
  const groups: Operation[] = [];
  for (let start = 0; start < operations.length; start += GROUP) {
    const success = operations.slice(start, start + GROUP);
    groups.push({ request: { case: "requestTxn", value: { success } } });
  }
  return groups;
}

function put(key: string, value: string): Operation {
  return { request: { case: "requestPut", value: { key: bytes(key), value: bytes(value) } } };
}

function remove(key: string): Operation {
  return { request: { case: "requestDeleteRange", value: { key: bytes(key) } } };
}

/** One line per change: the member's document, or the uuid of a removed member. */
function formatPart(entries: readonly Entry[]): string {
  return entries.map(({ uuid, document }) => document ?? uuid).join("\n");
}

function parsePart(part: string): readonly Entry[] {
  return part
    .split("\n")
    .map((line) =>
      line.startsWith("{") ? { uuid: uuidIn(line), document: line } : { uuid: line, document: undefined },
    );
}

/** The uuid of a document that may be invalid otherwise. Invalid documents are found when the members are read. */
function uuidIn(document: string): string {
  const { uuid } = JSON.parse(document) as { readonly uuid: unknown };
  if (typeof uuid === "string") return uuid;
  throw new Error("a plan in etcd has a member without a uuid");
}

function parsePlan(ready: etcd.KeyValue, parts: readonly etcd.KeyValue[]): readonly (readonly Entry[])[] {
  const count = Number(text(ready.value));
  if (parts.length < count) throw new Error(`a plan of ${count} parts has ${parts.length} in etcd`);
  return parts.slice(0, count).map(({ value }) => parsePart(text(value)));
}
