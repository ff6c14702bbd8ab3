import type { MemberStatus } from "@daos/control-client";

/** How the members have changed from one query to the next. */
export interface MemberChanges {
  readonly changed: readonly MemberStatus[];
  /** Ranks. */
  readonly gone: readonly number[];
}

/** Compares two answers, each by rank. */
export function memberChanges(
  before: ReadonlyMap<number, MemberStatus>,
  after: ReadonlyMap<number, MemberStatus>,
): MemberChanges {
  const changed = [...after.values()].filter((member) => !isSame(before.get(member.rank), member));
  const gone = [...before.keys()].filter((rank) => !after.has(rank));
  return { changed, gone };
}

function isSame(a: MemberStatus | undefined, b: MemberStatus): boolean {
  return (
    a !== undefined &&
    a.state === b.state &&
    a.reason === b.reason &&
    a.uuid === b.uuid &&
    a.address === b.address &&
    a.incarnation === b.incarnation &&
    a.since?.getTime() === b.since?.getTime() &&
    a.fabricUri === b.fabricUri &&
    a.faultDomain === b.faultDomain
  );
}
