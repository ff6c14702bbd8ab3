import type { EventChange, EventRecord } from "./event-record.ts";
import type { Member } from "./member.ts";
import type { PoolChange, PoolRecord } from "./pool-record.ts";

/** One change of the store. The changes of one commit are made all or none. */
export type MemberChange =
  /** Adds a member, or replaces the one with its uuid. */
  | { readonly kind: "put"; readonly member: Member }
  /** Removes a member. An unknown uuid is accepted. */
  | { readonly kind: "remove"; readonly uuid: string };

/** The last change of each member: only that one counts, and etcd refuses two changes of a key in one transaction. */
export function lastOfEach(changes: readonly MemberChange[]): readonly MemberChange[] {
  return [...new Map(changes.map((change) => [uuidOf(change), change])).values()];
}

export function uuidOf(change: MemberChange): string {
  return change.kind === "put" ? change.member.uuid : change.uuid;
}

/** An entry that is not a valid member or pool. */
export interface UnreadableMember {
  /** `pool` for a pool; absent for a member. */
  readonly kind?: "pool" | undefined;
  /** The key of the entry. */
  readonly uuid: string;
  readonly document: string;
  /** Why it is invalid. */
  readonly reason: string;
}

export interface LoadOptions {
  readonly signal: AbortSignal;
  readonly onUnreadable?: ((unreadable: UnreadableMember) => void) | undefined;
}

/**
 * The store of the members. Only one leader writes: a store belongs to one term of leadership. A commit is refused once
 * another leader's term has begun.
 */
export interface MemberStore {
  /**
   * All members, by rank. An unreadable member is left out and passed to `onUnreadable`. Its entry is kept.
   *
   * @throws Fault memberStoreUnusable; memberUnreadable for an unreadable member, without `onUnreadable`
   */
  load(options: LoadOptions): Promise<readonly Member[]>;
  /**
   * Makes changes durable, all or none. Once this resolves they survive a crash of every process. Commits of one store
   * run one at a time. Any number of changes is allowed. `signal` is ignored once a commit has started: its outcome is
   * then awaited.
   *
   * @throws Fault memberStoreUnusable, with nothing changed as far as is known; leadershipLost when the term is over;
   *   memberConflict when the changes would give a rank to two members
   */
  commit(changes: readonly MemberChange[], options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * All pools. An unreadable pool is left out and passed to `onUnreadable`. Its entry is kept.
   *
   * @throws Fault memberStoreUnusable
   */
  loadPools(options: LoadOptions): Promise<readonly PoolRecord[]>;
  /** Makes changes of pools durable, as {@link commit} does. @throws Fault memberStoreUnusable, leadershipLost */
  commitPools(changes: readonly PoolChange[], options: { readonly signal: AbortSignal }): Promise<void>;
  /** The events, oldest first. What cannot be read is left out. @throws Fault memberStoreUnusable */
  loadEvents(wait: Pick<LoadOptions, "signal">): Promise<readonly EventRecord[]>;
  /**
   * Keeps events. They survive a crash of every process; a loss of power may take the last of them. No commit of members
   * waits for it, and it takes nothing from the reserve that these have.
   *
   * @throws Fault memberStoreUnusable, leadershipLost
   */
  commitEvents(change: EventChange, wait: Pick<LoadOptions, "signal">): Promise<void>;
  close(): Promise<void>;
}
