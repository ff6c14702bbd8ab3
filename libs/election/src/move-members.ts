import { encodeMember, faultMembersNotMovable, type Member, type PoolRecord } from "@daos/member-store";
import type { Election } from "./election.ts";
import { whileLeading } from "./while-leading.ts";

export interface MoveMembersOptions {
  /** How to lead the system in the new store. */
  readonly election: Election;
  /** Does everything but the commit. */
  readonly dryRun: boolean;
  /** `lease_duration` of the configuration, s; 3 by default. */
  readonly leaseSeconds?: number | undefined;
  readonly signal: AbortSignal;
}

const ATTEMPTED = "move the members of the system to etcd";

/**
 * Puts the pools of a system into a store, then the members, which it must not have, as one commit, and leads the
 * system meanwhile, so that no other host does. A store that has the same members already is unchanged, so that an
 * interrupted move can be repeated.
 *
 * @returns whether the store had them before
 * @throws Fault membersNotMovable when another host leads, no host can, or the store has other members; leadershipLost
 * when the outcome is unknown
 */
export async function moveMembers(
  { members, pools }: { readonly members: readonly Member[]; readonly pools: readonly PoolRecord[] },
  { election, dryRun, leaseSeconds, signal }: MoveMembersOptions,
): Promise<{ readonly wereThere: boolean }> {
  return whileLeading({ election, attempted: ATTEMPTED, leaseSeconds, signal }, async ({ store }) => {
    const there = await store.load({ signal });
    const wereThere = areSame(there, members);
    if (there.length > 0 && !wereThere) throw faultOthersThere(there.length);
    if (!wereThere && !dryRun) {
      // The pools come first: a move that is interrupted here is repeated, because the members are not there yet.
      if (pools.length > 0)
        await store.commitPools(
          pools.map((pool) => ({ kind: "put", pool })),
          { signal },
        );
      await store.commit(
        members.map((member) => ({ kind: "put", member })),
        { signal },
      );
    }
    return { wereThere };
  });
}

function areSame(some: readonly Member[], others: readonly Member[]): boolean {
  const text = (members: readonly Member[]) => members.map(encodeMember).sort().join("\n");
  return text(some) === text(others);
}

function faultOthersThere(count: number) {
  return faultMembersNotMovable(
    `etcd has other members of the system already: ${count}`,
    "if the system has been in service with those, move members.db away instead; if they came about by mistake, stop every " +
      "daos-server, remove them (etcdctl del --prefix /daos/NAME/ with the name of the system), and try again",
  );
}
