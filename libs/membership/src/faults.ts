import { cleanText, Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";
import type { Member } from "./member.ts";
import type { UnreadableMember } from "./member-store.ts";

/** What SQLite says of a file that it cannot use. */
const DAMAGED = /malformed|not a database/;

/** The store cannot be read or written. */
export function faultMemberStore(where: string, cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be kept in ${where}`,
    reason,
    resolution: DAMAGED.test(reason)
      ? "restore the file from a copy; without one, move it away: engines are recorded again when they are restarted, " +
        "but exclusions are lost, and must be made again first"
      : "check that the storage has space and is writable",
    cause,
  });
}

/** Another program has the file of the members open. */
export function faultMembersInUse(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersInUse,
    description: `open ${path}, where the members of the system are kept`,
    reason: "another program has it open",
    resolution: "stop the daos-server of this host, or wait until daos-server members move has ended",
    cause,
  });
}

/** What is kept of members cannot be read, where none may be left out. */
export function faultMembersUnreadable(where: string, [first, ...more]: readonly UnreadableMember[]): Fault {
  const others = more.length === 0 ? "" : `, and ${more.length} more`;
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnreadable,
    description: `read all members of the system in ${where}`,
    reason: `engine ${first?.uuid}: ${first?.reason}${others}`,
    resolution:
      "list them with daos-server members check, and move them aside with daos-server members repair on a host that is an " +
      "access point, while no daos-server runs there",
  });
}

/** What is kept of an engine cannot be read: whether it was excluded is not known. */
export function faultJoinUnreadable(uuid: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnreadable,
    description: `engine ${uuid} asks to join, but what is kept of it cannot be read`,
    reason: "it may have been excluded",
    resolution:
      "look at it with daos-server members check; then stop the daos-server of every access point, and move it aside with " +
      "daos-server members repair",
  });
}

/** Nothing was kept: the store would refuse to read it. */
export function faultMemberInvalid(field: string, value: string, limit: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.requestInvalid,
    description: `the ${field} of a member is ${cleanText(value, 64)}`,
    reason: `it has to be ${limit}`,
    resolution: "run the same release on all hosts; if that is so, report it with the logs",
  });
}

/** A new engine asks to join a system that can have no more. */
export function faultSystemFull(uuid: string, most: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.systemFull,
    description: `engine ${uuid} asks to join, but the system has ${most} members, which is the most`,
    resolution: "forget engines that are gone for good with dmg system erase",
  });
}

/** Members cannot be moved, and nothing was changed. */
export function faultMembersNotMovable(
  reason: string,
  resolution: string,
  {
    attempted = "move the members of the system to etcd",
    cause,
  }: { readonly attempted?: string; readonly cause?: unknown } = {},
): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersNotMovable,
    description: attempted,
    reason,
    resolution,
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

/** An excluded engine asks to join. */
export function faultMemberExcluded(uuid: string, rank: Rank): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberExcluded,
    description: `engine ${uuid} (rank ${rank}) asks to join, but an administrator has excluded it`,
    resolution: `let it join again with dmg system clear-exclude --ranks ${rank}, then dmg system start --ranks ${rank}`,
  });
}

/** An engine with the identity of a member asks to join from another host, while the member is in service. */
export function faultMemberElsewhere(uuid: string, from: HostAddress, member: Member): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberElsewhere,
    description: `engine ${uuid} asks to join from ${formatHostAddress(from)}`,
    reason: `rank ${member.rank} with that identity is in service on ${formatHostAddress(member.address)}`,
    resolution:
      "if storage was copied to this host, format it (dmg storage format --reformat); if the host has a new address, " +
      "it may join once its old address has been silent for a while",
  });
}

/** The system has no such rank. */
export function faultMemberUnknown(rank: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnknown,
    description: `the system has no rank ${rank}`,
    resolution: "list the members with dmg system query",
  });
}

/** Ranks are given only when the engine that keeps the system map is known. */
export function faultNoReplicaYet(): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.systemNotReady,
    description: "no rank can be given yet: the engine of the first access point has not been in service",
    resolution:
      "format and start the first access point: dmg storage format, with --reformat where an erased system was before",
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
