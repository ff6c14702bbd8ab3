import { Fault, FaultCode } from "@daos/fault";
import type { Rank } from "@daos/rank";

/** The store cannot be read or written. */
export function faultMemberStore(where: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be kept in ${where}`,
    reason: cause instanceof Error ? cause.message : String(cause),
    resolution:
      "check that the storage has space and is writable; if the file is damaged, move it away: engines are recorded " +
      "again when they are restarted",
    cause,
  });
}

/** A change would give a rank to two engines. */
export function faultRankTaken(uuid: string, rank: Rank, reason: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberConflict,
    description: `engine ${uuid} asks to join as rank ${rank}`,
    reason,
    resolution: "remove the rank from the engine's section of the configuration, or choose one that is free",
  });
}

/** The term of leadership in which something was begun is over. */
export function faultLeadershipLost(attempted: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.leadershipLost,
    description: attempted,
    reason: "this host does not lead the system any more",
    resolution: "look with dmg system query whether it was done, then try again",
  });
}

/** The access points cannot find out who leads. */
export function faultElectionUnreachable(cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.electionUnreachable,
    description: "the access points cannot agree on a leader",
    reason: cause instanceof Error ? cause.message : String(cause),
    resolution: "check the etcd servers (etcdctl endpoint health) and system_db in the configuration",
    cause,
  });
}
