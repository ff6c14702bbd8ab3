import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { encodeMember, faultMembersNotMovable, type Member } from "@daos/member-store";
import { abortable, deadline } from "@daos/sys";
import type { Election, Term } from "./election.ts";

export interface MoveMembersOptions {
  /** How to lead the system where the members go. */
  readonly election: Election;
  /** Everything but the commit. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** A leader that died is replaced within 5 seconds; one that is there for longer lives. */
const OFFICE_MS = 6_000;

/**
 * Puts the members of a system into a store that has none, as one commit, and leads the system meanwhile, so that nobody else
 * does. A store that has the same members already is left as it is: what was interrupted can be repeated.
 *
 * @returns whether the store had them before
 * @throws Fault membersNotMovable when another host leads, nobody can, or the store has other members; leadershipLost when it
 *   is not known whether it was done
 */
export async function moveMembers(
  members: readonly Member[],
  { election, dryRun, signal }: MoveMembersOptions,
): Promise<{ readonly wereThere: boolean }> {
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const leading = Promise.withResolvers<Term>();
  let leader: HostAddress | undefined;
  const run = election.run(
    (view) => {
      if (view.kind === "leading") leading.resolve(view.term);
      else leader = view.leader;
    },
    { signal: until },
  );
  try {
    using limit = deadline(OFFICE_MS, "a term as leader", signal);
    const { store } = await abortable(leading.promise, limit.signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw leader === undefined ? faultNobodyLeads(error) : faultOtherLeads(leader);
    });
    const there = await store.load({ signal });
    const wereThere = areSame(there, members);
    if (there.length > 0 && !wereThere) throw faultOthersThere(there.length);
    if (!wereThere && !dryRun) {
      await store.commit(
        members.map((member) => ({ kind: "put", member })),
        { signal },
      );
    }
    return { wereThere };
  } finally {
    end.abort(new DOMException("the members have been moved", "AbortError"));
    await run;
  }
}

function areSame(some: readonly Member[], others: readonly Member[]): boolean {
  const text = (members: readonly Member[]) => members.map(encodeMember).sort().join("\n");
  return text(some) === text(others);
}

function faultOtherLeads(leader: HostAddress) {
  return faultMembersNotMovable(
    `${formatHostAddress(leader)} leads the system through etcd`,
    "stop the daos-server of every access point, then try again",
  );
}

function faultNobodyLeads(cause: unknown) {
  return faultMembersNotMovable(
    "etcd lets nobody lead the system",
    "check the etcd servers (etcdctl endpoint health) and system_db in the configuration, then try again",
    cause,
  );
}

function faultOthersThere(count: number) {
  return faultMembersNotMovable(
    `etcd has other members of the system already: ${count}`,
    "if the system has been in service with those, move members.db away instead; if they came about by mistake, stop every " +
      "daos-server, remove them (etcdctl del --prefix /daos/NAME/ with the name of the system), and try again",
  );
}
