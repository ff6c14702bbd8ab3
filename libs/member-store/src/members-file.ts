import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ServerConfig } from "@daos/config";
import { EtcdClient } from "@daos/etcd";
import type { Logger } from "@daos/log";
import { delay, exists, syncDirectory } from "@daos/sys";
import { etcdKnows } from "./etcd-knows.ts";
import { faultMemberStore, faultMembersMoved, faultStaleStore, isDamagedFile } from "./faults.ts";
import { MarkerFile } from "./marker-file.ts";
import type { Member } from "./member.ts";
import type { UnreadableMember } from "./member-store.ts";
import type { PoolRecord } from "./pool-record.ts";
import { SpaceReserve } from "./space-reserve.ts";
import { SqliteMemberStore } from "./sqlite-member-store.ts";

interface Wait {
  readonly signal: AbortSignal;
}

const PAUSE_MS = 1_000;

/** The store of a system without etcd: below the mount point of its first access point's first engine. */
export function membersFile(mount: string): string {
  return join(mount, "control_plane", "members.db");
}

/** The archive name of the file, once the members have been moved to etcd. */
export function movedFile(path: string): string {
  return `${path}.moved`;
}

/** What a host has seen of the members' file: beside the superblock, so that it stays when `control_plane` is lost. */
export function membersMarker(mount: string): MarkerFile {
  return new MarkerFile(join(mount, "members.marker"));
}

function reserveFile(path: string): string {
  return join(dirname(path), "members.reserve");
}

/** Enough for the write-ahead log of a system of 4,000 members in which every member changes at once. */
const MIN_RESERVE_BYTES = 4 * 1024 * 1024;

export interface OpenMembersOptions {
  /** Go on with a store that is not as this host has seen it before. */
  readonly accept?: boolean | undefined;
}

/** Opens the members for a term. @throws Fault memberStoreUnusable, membersInUse, memberStoreReplaced */
export async function openMembers(
  mount: string,
  { accept }: OpenMembersOptions = {},
): Promise<SqliteMemberStore> {
  const path = membersFile(mount);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw faultMemberStore(path, error);
  });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  const bytes = Math.max(MIN_RESERVE_BYTES, 2 * size);
  const reserve = new SpaceReserve(reserveFile(path), { bytes });
  return new SqliteMemberStore(path, { marker: membersMarker(mount), reserve, accept });
}

/** A file that is open for a command that replaces its content. */
export interface ReplaceableMembers {
  readonly store: SqliteMemberStore;
  /** New name of a file that was damaged. */
  readonly movedAside: string | undefined;
}

/**
 * Opens the members' file for a command, locked against every server. It may be missing, empty, or older than before.
 *
 * @param options `moveDamaged`: give a file that cannot be read another name, and begin a new one
 * @throws Fault membersInUse, memberStoreUnusable
 */
export async function openToReplace(
  mount: string,
  { moveDamaged }: { readonly moveDamaged: boolean },
): Promise<ReplaceableMembers> {
  const path = membersFile(mount);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const open = () =>
    new SqliteMemberStore(path, { exclusive: true, marker: membersMarker(mount), accept: true });
  try {
    return { store: open(), movedAside: undefined };
  } catch (error) {
    if (!moveDamaged || !isDamagedFile(error)) throw error;
  }
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(":", "")}`;
  await rename(path, aside);
  for (const more of ["-wal", "-journal"])
    if (await exists(`${path}${more}`)) await rename(`${path}${more}`, `${aside}${more}`);
  await rm(`${path}-shm`, { force: true });
  await syncDirectory(dirname(path));
  return { store: open(), movedAside: aside };
}

/** The members in a file, locked against all other access until it is disposed of. */
export interface LockedMembers extends AsyncDisposable {
  readonly members: readonly Member[];
  readonly pools: readonly PoolRecord[];
  /** Members and pools. */
  readonly unreadable: readonly UnreadableMember[];
  /** Renames the file to its archive name. It is no longer used. */
  archive(): Promise<void>;
}

/**
 * Locks an existing file and reads its members. @throws Fault membersInUse while a server has it open,
 * memberStoreUnusable
 */
export async function lockMembers(path: string): Promise<LockedMembers> {
  await using stack = new AsyncDisposableStack();
  const store = new SqliteMemberStore(path, { exclusive: true });
  stack.defer(() => store.close());
  const unreadable: UnreadableMember[] = [];
  const members = await store.load({ onUnreadable: (one) => unreadable.push(one) });
  const pools = await store.loadPools({ onUnreadable: (one) => unreadable.push(one) });
  const lock = stack.move();
  return {
    members,
    pools,
    unreadable,
    archive: async () => {
      await rename(path, movedFile(path));
      await rm(reserveFile(path), { force: true });
      await syncDirectory(dirname(path));
    },
    [Symbol.asyncDispose]: () => lock.disposeAsync(),
  };
}

/** Refuses to start an empty store in a file when the members are in etcd. @throws Fault membersMoved */
export async function refuseMoved(mount: string, { path: configPath }: ServerConfig): Promise<void> {
  const path = membersFile(mount);
  if ((await exists(path)) || !(await exists(movedFile(path)))) return;
  throw faultMembersMoved(movedFile(path), configPath);
}

export interface StaleStoreOptions {
  readonly config: ServerConfig;
  /** Identity of the engine in this storage. */
  readonly uuid: string;
  readonly log: Logger;
}

/**
 * Refuses to start an empty store in etcd when the members are still in a file. The file is stale if etcd has the
 * engine whose storage the file is in. While etcd is unreachable this is unknown, and the check is retried.
 *
 * @throws Fault membersLeftBehind; the signal's reason
 */
export async function refuseStaleStore(mount: string, options: StaleStoreOptions, wait: Wait): Promise<void> {
  const { config, uuid, log } = options;
  const { systemDb, name: system } = config;
  const path = membersFile(mount);
  if (systemDb.kind !== "etcd" || !(await exists(path))) return;
  const count = await countMembers(path);
  if (count === 0) return;
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  for (let warned = false; ; warned = true) {
    try {
      if (!(await etcdKnows(client, { system, uuid }, wait))) break;
      log.warn(`${path} is not used: the members are in etcd`);
      return;
    } catch (error) {
      wait.signal.throwIfAborted();
      if (!warned)
        log.warn("etcd is unreachable: waiting to check whether it has the members of the system", {
          path,
          error,
        });
    }
    await delay(PAUSE_MS, wait);
  }
  throw faultStaleStore(path, count, config.path);
}

async function countMembers(path: string): Promise<number> {
  await using locked = await lockMembers(path);
  return locked.members.length + locked.unreadable.length;
}
