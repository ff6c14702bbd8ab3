/** Where the control plane of one system keeps its things in etcd. */
export interface EtcdKeys {
  /** The members, each under its uuid. */
  readonly members: string;
  /** Names the last commit: see `TermWriter`. */
  readonly lastCommit: string;
  /** The plan of a commit that is too large for one transaction: see `EtcdMemberStore`. */
  readonly planParts: string;
  readonly plan: string;
  /** What `daos-server members repair` has moved aside, each under the revision of its last change. */
  readonly quarantine: string;
  /** What the access points watch: the two below. */
  readonly election: string;
  /** The leader's address. The revision of its creation is the number of the leader's term. */
  readonly leader: string;
  /** The access points that take part, each under its address. */
  readonly accessPoints: string;
}

/** The keys of a system; names of systems have no slashes. */
export function etcdKeys(system: string): EtcdKeys {
  const root = `/daos/${system}`;
  return {
    members: `${root}/members/`,
    lastCommit: `${root}/last-commit`,
    planParts: `${root}/plan/parts/`,
    plan: `${root}/plan/ready`,
    quarantine: `${root}/quarantine/`,
    election: `${root}/election/`,
    leader: `${root}/election/leader`,
    accessPoints: `${root}/election/access-points/`,
  };
}
