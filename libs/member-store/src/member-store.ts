import type { Member } from "./member.ts";

/** One change of what is kept; those of one commit are made all or none. */
export type MemberChange =
  /** Adds a member, or replaces the one with its uuid. */
  | { readonly kind: "put"; readonly member: Member }
  /** Forgets a member; well when there is none. */
  | { readonly kind: "remove"; readonly uuid: string };

/** Something in the place of a member that is none. */
export interface UnreadableMember {
  /** Under which it is kept. */
  readonly uuid: string;
  readonly document: string;
  /** What is wrong with it. */
  readonly reason: string;
}

export interface LoadOptions {
  readonly signal: AbortSignal;
  readonly onUnreadable?: ((unreadable: UnreadableMember) => void) | undefined;
}

/**
 * Where the members are kept. One leader at a time writes: a store belongs to one term of leadership, and what is
 * committed after another leader's term has begun is refused.
 */
export interface MemberStore {
  /**
   * All members, by rank. One that cannot be read is left out and given to `onUnreadable`; it stays where it is.
   *
   * @throws Fault memberStoreUnusable; memberUnreadable for one that cannot be read, without `onUnreadable`
   */
  load(options: LoadOptions): Promise<readonly Member[]>;
  /**
   * Makes changes durable, all or none: once this resolves they survive a crash of everything. Commits of one store are
   * made one after the other; any number of changes is allowed. `signal` counts until a commit is under way: from then on its
   * outcome is waited for.
   *
   * @throws Fault memberStoreUnusable, with nothing changed as far as can be told; leadershipLost when the term is over;
   *   memberConflict when the changes would give a rank to two members
   */
  commit(changes: readonly MemberChange[], options: { readonly signal: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
