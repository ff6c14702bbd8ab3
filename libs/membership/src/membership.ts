import { Fault, FaultCode } from "@daos/fault";
import { NIL_RANK, type Rank } from "@daos/rank";
import type { Member } from "./member.ts";
import type { MemberStore } from "./member-store.ts";

/** What a join asks for. */
export interface JoinAttempt {
  readonly uuid: string;
  /** `NIL_RANK` for any. */
  readonly rank: Rank;
  readonly uri: string;
}

/** What a join means to the membership, before the data plane is asked. */
export type JoinPlan =
  /** A member that comes back as it was: nothing has to be agreed on again. */
  | { readonly kind: "rejoin"; readonly rank: Rank }
  /** The data plane decides. */
  | { readonly kind: "ask-engine" }
  | { readonly kind: "refuse"; readonly fault: Fault };

/** The members of the system, kept in a store: rank and uuid are one to one. */
export class Membership {
  readonly #store: MemberStore;
  readonly #byUuid: Map<string, Member>;

  constructor(store: MemberStore) {
    this.#store = store;
    this.#byUuid = new Map(store.list().map((member) => [member.uuid, member]));
  }

  /** All members, by rank. */
  list(): readonly Member[] {
    return [...this.#byUuid.values()].sort((a, b) => a.rank - b.rank);
  }

  /** @throws Fault memberUnknown */
  byRank(rank: Rank): Member {
    const found = this.list().find((member) => member.rank === rank);
    if (found !== undefined) return found;
    throw new Fault({
      domain: "system",
      code: FaultCode.memberUnknown,
      description: `the system has no rank ${rank}`,
      resolution: "list the members with dmg system member-query",
    });
  }

  /**
   * Decides on a join. The engines of release 0.8.0 refuse a second join of the same uuid, so a member that comes back
   * as it was is answered from here.
   */
  planJoin(attempt: JoinAttempt): JoinPlan {
    const known = this.#byUuid.get(attempt.uuid);
    if (known !== undefined) {
      if (attempt.rank !== NIL_RANK && attempt.rank !== known.rank) {
        return { kind: "refuse", fault: faultConflict(attempt, `that engine is rank ${known.rank}`) };
      }
      return known.uri === attempt.uri ? { kind: "rejoin", rank: known.rank } : { kind: "ask-engine" };
    }
    const holder = this.list().find((member) => member.rank === attempt.rank);
    if (holder === undefined) return { kind: "ask-engine" };
    return { kind: "refuse", fault: faultConflict(attempt, `that rank belongs to engine ${holder.uuid}`) };
  }

  /** Records a member, durably before it returns. @throws Fault memberConflict when its rank belongs to another */
  record(member: Member): void {
    const holder = this.list().find((other) => other.rank === member.rank);
    if (holder !== undefined && holder.uuid !== member.uuid) {
      throw faultConflict(member, `that rank belongs to engine ${holder.uuid}`);
    }
    this.#store.put(member);
    this.#byUuid.set(member.uuid, member);
  }
}

function faultConflict(attempt: JoinAttempt, reason: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberConflict,
    description: `engine ${attempt.uuid} asks to join as rank ${attempt.rank}`,
    reason,
    resolution: "remove the rank from the engine's section of the configuration, or choose one that is free",
  });
}
