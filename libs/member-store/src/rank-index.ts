import { parseRank } from "@daos/rank";
import { faultRankTaken } from "./faults.ts";
import type { MemberChange } from "./member-store.ts";

/** Which engine has a rank in a store, and the reverse. */
export class RankIndex {
  readonly #uuids = new Map<number, string>();
  readonly #ranks = new Map<string, number>();

  clear(): void {
    this.#uuids.clear();
    this.#ranks.clear();
  }

  /** @throws Fault memberConflict when the changes would give a rank to two engines */
  check(changes: readonly MemberChange[]): void {
    const ranks = new Map<string, number | undefined>();
    for (const change of changes) {
      if (change.kind === "put") ranks.set(change.member.uuid, change.member.rank);
      else ranks.set(change.uuid, undefined);
    }
    const taken = new Map<number, string>();
    for (const [uuid, rank] of ranks) {
      if (rank === undefined) continue;
      const before = this.#uuids.get(rank);
      const other = taken.get(rank) ?? (before !== undefined && !ranks.has(before) ? before : undefined);
      if (other !== undefined) {
        throw faultRankTaken(uuid, parseRank(rank), `that rank belongs to engine ${other}`);
      }
      taken.set(rank, uuid);
    }
  }

  /** Applies changes that the store has committed. */
  note(changes: readonly MemberChange[]): void {
    for (const change of changes) this.#note(change);
  }

  /** Gives an engine this rank in place of its former one. */
  take(uuid: string, rank: number): void {
    this.#drop(uuid);
    this.#ranks.set(uuid, rank);
    this.#uuids.set(rank, uuid);
  }

  #note(change: MemberChange): void {
    if (change.kind === "put") this.take(change.member.uuid, change.member.rank);
    else this.#drop(change.uuid);
  }

  #drop(uuid: string): void {
    const before = this.#ranks.get(uuid);
    if (before !== undefined && this.#uuids.get(before) === uuid) this.#uuids.delete(before);
    this.#ranks.delete(uuid);
  }
}
