import { dirname } from "node:path";
import { EtcdError, etcdAdvice, isSpaceExceeded } from "@daos/etcd";
import { cleanText, errorText, Fault, FaultCode, hasCode } from "@daos/fault";
import type { Rank } from "@daos/rank";
import type { UnreadableMember } from "./member-store.ts";

/** SQLite's messages for a file that it cannot use. */
const DAMAGED = /malformed|not a database/;
/** SQLite's message for a full file system. */
const FULL = /database or disk is full/;

const DAMAGED_ADVICE =
  "keep a copy of it, then restore the members as this host last saw them: daos-server members restore; or from an " +
  "export: daos-server members import FILE";

/** The store cannot be read or written. */
export function faultMemberStore(where: string, cause: unknown): Fault {
  if (isSpaceExceeded(cause)) return faultEtcdFull(where, cause);
  const reason = errorText(cause);
  if (FULL.test(reason)) return faultMembersFileFull(where, cause);
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be kept in ${where}`,
    reason,
    resolution: DAMAGED.test(reason)
      ? DAMAGED_ADVICE
      : cause instanceof EtcdError
        ? etcdAdvice(cause)
        : "check that the storage has space and is writable",
    cause,
  });
}

/** The file system of the members' file is full, and its reserve has been given up. */
export function faultMembersFileFull(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be kept in ${path}`,
    reason: "its file system is full, database or disk is full, and the reserve beside it has been used",
    resolution: `make room there (df ${dirname(path)} shows it): destroy a pool with dmg pool destroy, or remove files that are not of DAOS`,
    cause,
  });
}

function faultEtcdFull(where: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be kept in ${where}`,
    reason:
      "etcd has raised its alarm NOSPACE and takes no writes: its database has reached --quota-backend-bytes",
    resolution: etcdAdvice(cause),
    cause,
  });
}

/** The file of the members has changed since it was written. */
export function faultMembersFileDamaged(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be read from ${path}`,
    reason: `the file is damaged: ${reason}`,
    resolution: DAMAGED_ADVICE,
    cause,
  });
}

/** The whole file is damaged: neither waiting nor free space helps. */
export function isDamagedFile(error: unknown): boolean {
  return hasCode(error, FaultCode.memberStoreUnusable) && error.resolution === DAMAGED_ADVICE;
}

/** The store is missing, empty, older than before, or another one. It must not be used as a system without members. */
export function faultMemberStoreReplaced(where: string, reason: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreReplaced,
    description: `cannot use the members of the system in ${where}`,
    reason,
    resolution:
      "restore the store as it was; if it is lost, restore the members as this host last saw them: daos-server members " +
      "restore; or accept the members that the store has now, and lose all others: daos-server members accept " +
      "(docs/system.md, Lost or full stores)",
  });
}

/** Another program has the file of the members open. */
export function faultMembersInUse(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersInUse,
    description: `cannot open ${path}, the store of the system's members`,
    reason: "another program has it open",
    resolution: "stop the daos-server of this host, or wait until daos-server members move has ended",
    cause,
  });
}

/** A stored member cannot be read where every member is required. */
export function faultMembersUnreadable(where: string, [first, ...more]: readonly UnreadableMember[]): Fault {
  const others = more.length === 0 ? "" : `, and ${more.length} more`;
  return new Fault({
    domain: "system",
    code: FaultCode.memberUnreadable,
    description: `cannot read all members of the system in ${where}`,
    reason: `engine ${first?.uuid}: ${first?.reason}${others}`,
    resolution:
      "list them with daos-server members check, and move them aside with daos-server members repair on a host that is an " +
      "access point, while no daos-server runs there",
  });
}

/** A field of a member is invalid. Nothing was stored, because the store would refuse to read it. */
export function faultMemberInvalid(field: string, value: string, limit: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.requestInvalid,
    description: `the ${field} of a member is ${cleanText(value, 64)}`,
    reason: `it must be ${limit}`,
    resolution: "run the same release on all hosts; if that is so, report it with the logs",
  });
}

/** Members cannot be moved. Nothing was changed. */
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
    description: `cannot ${attempted}`,
    reason,
    resolution,
    cause,
  });
}

/** A change would give one rank to two engines. */
export function faultRankTaken(uuid: string, rank: Rank, reason: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberConflict,
    description: `engine ${uuid} cannot join as rank ${rank}`,
    reason,
    resolution: "remove the rank from the engine's section of the configuration, or choose a free rank",
  });
}

/** The term of leadership ended during the operation. */
export function faultLeadershipLost(attempted: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.leadershipLost,
    description: `cannot ${attempted}`,
    reason: "this host no longer leads the system",
    resolution: "check with dmg system query whether it was done, then try again",
  });
}

/**
 * The store in a file is stale or not migrated: etcd is configured, has no entry for this host's engine, and the file
 * has members.
 */
export function faultStaleStore(path: string, count: number, configPath: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersLeftBehind,
    description: `cannot keep the members of the system in etcd, as ${configPath} says`,
    reason: `etcd does not have them, and ${path} has ${count}`,
    resolution: `stop the daos-server of every access point, then move them: daos-server members move -o ${configPath}`,
  });
}

/** The configuration says embedded, but the members were moved to etcd. */
export function faultMembersMoved(movedTo: string, configPath: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.membersMoved,
    description: `cannot keep the members of the system in a file, as ${configPath} says`,
    reason: `they were moved to etcd; ${movedTo} is the file before that`,
    resolution:
      "set system_db to etcd again; if etcd is lost for good, rename that file to members.db, and look through the members " +
      "with dmg system query --verbose before engines are started",
  });
}
