/** The etcd keys of one system's control plane. */
export interface EtcdKeys {
  /** The members, each under its uuid. */
  readonly members: string;
  /** The pools, each under its uuid. */
  readonly pools: string;
  /** The events, each under its number. */
  readonly events: string;
  /** The name of the last commit: see `TermWriter`. */
  readonly lastCommit: string;
  /** The plan of a commit that is too large for one transaction: see `EtcdMemberStore`. */
  readonly planParts: string;
  readonly plan: string;
  /** Unreadable members that `daos-server members repair` moved aside, each under the revision of its last change. */
  readonly quarantine: string;
  /** The identity of this store of members: see `checkEtcdIdentity`. */
  readonly identity: string;
  /** The prefix that the access points watch: the two keys below. */
  readonly election: string;
  /** The leader's address. Its create revision is the number of the leader's term. */
  readonly leader: string;
  /** The access points that campaign, each under its address. */
  readonly accessPoints: string;
}

/** The keys of a system. The name of a system has no slash. */
export function etcdKeys(system: string): EtcdKeys {
  const root = `/daos/${system}`;
  return {
    members: `${root}/members/`,
    pools: `${root}/pools/`,
    events: `${root}/events/`,
    lastCommit: `${root}/last-commit`,
    planParts: `${root}/plan/parts/`,
    plan: `${root}/plan/ready`,
    quarantine: `${root}/quarantine/`,
    identity: `${root}/identity`,
    election: `${root}/election/`,
    leader: `${root}/election/leader`,
    accessPoints: `${root}/election/access-points/`,
  };
}
