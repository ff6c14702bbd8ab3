import type { HostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { type Member, type MemberStore, SqliteMemberStore } from "@daos/member-store";
import type { MembershipOptions } from "@daos/membership";
import type { Election } from "../election.ts";
import { Leadership } from "../leadership.ts";
import { StaticLeader } from "../static-leader.ts";

/** The leader of a system with these members, in a store of its own or a given one; it leads for as long as the process runs. */
export async function leaderOf(
  self: HostAddress,
  members: readonly Member[],
  options: { readonly ranksFrom?: MembershipOptions["ranksFrom"]; readonly store?: MemberStore } = {},
): Promise<Leadership> {
  const { signal } = new AbortController();
  const { store = new SqliteMemberStore(":memory:") } = options;
  await store.commit(
    members.map((member) => ({ kind: "put", member })),
    { signal },
  );
  const election = new StaticLeader({ accessPoints: [self], self, openStore: async () => store });
  const { ranksFrom = "engine" } = options;
  const leadership = new Leadership({ election, self, ranksFrom, log: silentLogger });
  void leadership.run(signal);
  while (!leadership.leadsHere) await new Promise(setImmediate);
  return leadership;
}

/** A leader whose term a test can end: in order, or as in a frozen process, whose signal is late. */
export async function expirableLeader(
  self: HostAddress,
  members: readonly Member[],
  ranksFrom: MembershipOptions["ranksFrom"] = "store",
): Promise<{ readonly leadership: Leadership; expireTerm(how: "in order" | "signal is late"): void }> {
  const term = new AbortController();
  const { signal } = term;
  let holds = true;
  const store = new SqliteMemberStore(":memory:");
  await store.commit(
    members.map((member) => ({ kind: "put", member })),
    { signal },
  );
  const election: Election = {
    accessPoints: [],
    run: async (onChange) =>
      onChange({ kind: "leading", term: { number: 1, store, signal, holds: () => holds } }),
  };
  const leadership = new Leadership({ election, self, ranksFrom, log: silentLogger });
  void leadership.run(signal);
  while (!leadership.leadsHere) await new Promise(setImmediate);
  return {
    leadership,
    expireTerm: (how) => {
      holds = false;
      if (how === "in order") term.abort(new Error("another host leads"));
    },
  };
}

/** A host that knows another one as the leader. */
export function followerOf(leader: HostAddress, self: HostAddress): Leadership {
  const election = new StaticLeader({
    accessPoints: [leader],
    self: undefined,
    openStore: () => Promise.reject(new Error("a follower opens no store")),
  });
  const leadership = new Leadership({ election, self, ranksFrom: "engine", log: silentLogger });
  void leadership.run(new AbortController().signal);
  return leadership;
}
