import { hostname } from "node:os";
import { faultNoEngines, type ServerConfig } from "@daos/config";
import { EtcdClient } from "@daos/etcd";
import type { Logger } from "@daos/log";
import {
  faultMembersNotMovable,
  faultMembersUnreadable,
  lockMembers,
  type Member,
  membersFile,
  movedFile,
  type PoolRecord,
} from "@daos/member-store";
import { readSuperblock } from "@daos/superblock";
import { exists } from "@daos/sys";
import { EtcdElection } from "./etcd-election.ts";
import { moveMembers } from "./move-members.ts";

export interface MoveToEtcdOptions {
  /** Reads and checks everything, and changes nothing. */
  readonly dryRun: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface MoveResult {
  /** The file in which the members were. */
  readonly from: string;
  /** Its name now; undefined after a dry run. */
  readonly movedFile: string | undefined;
  readonly endpoints: readonly string[];
  readonly members: readonly Member[];
  readonly pools: readonly PoolRecord[];
  /** etcd had the same members before. */
  readonly wereThere: boolean;
}

/**
 * Moves the members of a system that had one access point from its file to etcd, as the configuration says. The file is locked
 * against every server from before they are read until it has its new name, and this process leads the system in etcd while
 * they are written: no change can be made in between and lost.
 *
 * @throws Fault membersInUse, membersNotMovable, leadershipLost; of the superblock
 */
export async function moveToEtcd(config: ServerConfig, options: MoveToEtcdOptions): Promise<MoveResult> {
  const { systemDb, name: system, port } = config;
  const { dryRun, log, signal } = options;
  const { leaseSeconds } = config.failureDetection;
  if (systemDb.kind !== "etcd") {
    throw faultMembersNotMovable(
      `${config.path} does not say where etcd is`,
      "set system_db to backend etcd, with endpoints, as in docs/configuration.md",
    );
  }
  const from = await findMembers(config);
  await using locked = await lockMembers(from);
  const { members, pools, unreadable } = locked;
  if (unreadable.length > 0) throw faultMembersUnreadable(from, unreadable);
  if (members.length === 0) throw faultNothingHere(`${from} has no members`);
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  const election = new EtcdElection({
    client,
    system,
    address: { host: hostname(), port },
    hasReplica: () => false,
    leaseSeconds,
    log,
  });
  const { wereThere } = await moveMembers({ members, pools }, { election, dryRun, leaseSeconds, signal });
  if (!dryRun) await locked.archive();
  return {
    from,
    movedFile: dryRun ? undefined : movedFile(from),
    endpoints: systemDb.endpoints,
    members,
    pools,
    wereThere,
  };
}

/** The file, in storage that is this system's. */
async function findMembers({ engines: [engine], name: system, path }: ServerConfig): Promise<string> {
  if (engine === undefined) throw faultNoEngines(path);
  const { mount } = engine.scm;
  const superblock = await readSuperblock(mount, { system });
  if (superblock === undefined) throw faultNothingHere(`${mount} is not mounted, or not formatted`);
  const file = membersFile(mount);
  if (await exists(file)) return file;
  const moved = movedFile(file);
  if (await exists(moved)) {
    throw faultMembersNotMovable(
      `they were moved before: ${moved} has them as they were then`,
      "start the access points; if etcd has lost them, rename that file to members.db and try again",
    );
  }
  throw faultNothingHere(`there is no ${file}`);
}

function faultNothingHere(reason: string) {
  return faultMembersNotMovable(
    reason,
    "run this on the host that was the only access point, with the storage of its first engine mounted",
  );
}
