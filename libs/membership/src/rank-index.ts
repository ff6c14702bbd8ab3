import type { Rank } from "@daos/rank";
import { faultRankTaken } from "./faults.ts";
import type { MemberChange } from "./member-store.ts";

/** What is left of changes of which only the last one of a member counts, in the order in which members come first. */
export function lastChanges(changes: readonly MemberChange[]): readonly MemberChange[] {
  return [...new Map(changes.map((change) => [uuidOf(change), change])).values()];
}

/** The engine that a change is about. */
export function uuidOf(change: MemberChange): string {
  return change.kind === "put" ? change.member.uuid : change.uuid;
}

/** Which engine has which rank. */
export class RankIndex {
  readonly #uuids = new Map<Rank, string>();
  readonly #ranks = new Map<string, Rank>();

  /** @throws Fault memberConflict when `changes`, one for each member, would give a rank to two members */
  check(changes: readonly MemberChange[]): void {
    const changed = new Set(changes.map(uuidOf));
    const taken = new Map<Rank, string>();
    for (const change of changes) {
      if (change.kind === "remove") continue;
      const { uuid, rank } = change.member;
      const before = this.#uuids.get(rank);
      const other = taken.get(rank) ?? (before !== undefined && !changed.has(before) ? before : undefined);
      if (other !== undefined) throw faultRankTaken(uuid, rank, `that rank belongs to engine ${other}`);
      taken.set(rank, uuid);
    }
  }

  /** Takes over changes, one for each member, that have passed {@link check}. */
  apply(changes: readonly MemberChange[]): void {
    for (const change of changes) {
      const rank = this.#ranks.get(uuidOf(change));
      if (rank !== undefined) this.#uuids.delete(rank);
      this.#ranks.delete(uuidOf(change));
    }
    for (const change of changes) {
      if (change.kind === "remove") continue;
      this.#ranks.set(change.member.uuid, change.member.rank);
      this.#uuids.set(change.member.rank, change.member.uuid);
    }
  }
}
