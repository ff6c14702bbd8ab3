import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { faultMembersNotMovable } from "@daos/member-store";
import { abortable, deadline } from "@daos/sys";
import type { Election, Term } from "./election.ts";
import { DEFAULT_LEASE_SECONDS } from "./election-session.ts";

export interface WhileLeadingOptions {
  readonly election: Election;
  /** The purpose, for faults. */
  readonly attempted: string;
  /** `lease_duration` of the configuration, s; 3 by default. */
  readonly leaseSeconds?: number | undefined;
  readonly signal: AbortSignal;
}

/** A leader that died is replaced within this many leases; a leader that stays longer is alive. */
const MAX_LEASES = 2;

/** Leads the system while `work` runs, so that no other host does. @throws Fault membersNotMovable when this host cannot lead */
export async function whileLeading<T>(
  { election, attempted, leaseSeconds = DEFAULT_LEASE_SECONDS, signal }: WhileLeadingOptions,
  work: (term: Term) => Promise<T>,
): Promise<T> {
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
    using limit = deadline(leaseSeconds * 1000 * MAX_LEASES, "a term as leader", signal);
    const term = await abortable(leading.promise, limit.signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw leader === undefined ? faultNoLeader(attempted, error) : faultOtherLeads(attempted, leader);
    });
    return await work(term);
  } finally {
    end.abort(new DOMException(`${attempted}: done`, "AbortError"));
    await run;
  }
}

function faultOtherLeads(attempted: string, leader: HostAddress) {
  return faultMembersNotMovable(
    `${formatHostAddress(leader)} leads the system through etcd`,
    "stop the daos-server of every access point, then try again",
    { attempted },
  );
}

function faultNoLeader(attempted: string, cause: unknown) {
  return faultMembersNotMovable(
    "no host can lead the system through etcd",
    "check the etcd servers (etcdctl endpoint health) and system_db in the configuration, then try again",
    { attempted, cause },
  );
}
