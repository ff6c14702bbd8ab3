import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ServerConfig } from "@daos/config";
import { EtcdClient } from "@daos/etcd";
import type { Logger } from "@daos/log";
import { delay, exists, syncDirectory } from "@daos/sys";
import { etcdKnows } from "./etcd-knows.ts";
import { faultMembersLeftBehind, faultMembersMoved } from "./faults.ts";
import type { Member } from "./member.ts";
import type { UnreadableMember } from "./member-store.ts";
import { SqliteMemberStore } from "./sqlite-member-store.ts";

interface Wait {
  readonly signal: AbortSignal;
}

const PAUSE_MS = 1_000;

/** Where a system without etcd keeps its members: below the mount point of its first access point's first engine. */
export function membersFile(mount: string): string {
  return join(mount, "control_plane", "members.db");
}

/** Its name once the members have been moved to etcd. */
export function movedFile(path: string): string {
  return `${path}.moved`;
}

/** Opens the members for a term. @throws Fault memberStoreUnusable, membersInUse */
export async function openMembers(mount: string): Promise<SqliteMemberStore> {
  const path = membersFile(mount);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return new SqliteMemberStore(path);
}

/** Members that nobody else reads or changes until this is disposed of. */
export interface HeldMembers extends AsyncDisposable {
  readonly members: readonly Member[];
  readonly unreadable: readonly UnreadableMember[];
  /** Gives the file the name that says that it is not used any more. */
  retire(): Promise<void>;
}

/** Reads the members of a file that exists. @throws Fault membersInUse while a server has it open, memberStoreUnusable */
export async function holdMembers(path: string): Promise<HeldMembers> {
  await using stack = new AsyncDisposableStack();
  const store = new SqliteMemberStore(path, { exclusive: true });
  stack.defer(() => store.close());
  const unreadable: UnreadableMember[] = [];
  const members = await store.load({ onUnreadable: (one) => unreadable.push(one) });
  const held = stack.move();
  return {
    members,
    unreadable,
    retire: async () => {
      await rename(path, movedFile(path));
      await syncDirectory(dirname(path));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Sees to it that a system whose members are in etcd does not begin anew in a file. @throws Fault membersMoved */
export async function refuseMoved(mount: string, { path: configPath }: ServerConfig): Promise<void> {
  const path = membersFile(mount);
  if ((await exists(path)) || !(await exists(movedFile(path)))) return;
  throw faultMembersMoved(movedFile(path), configPath);
}

export interface LeftBehindOptions {
  readonly config: ServerConfig;
  /** Identity of the engine in this storage. */
  readonly uuid: string;
  readonly log: Logger;
}

/**
 * Sees to it that a system whose members are in a file does not begin anew in etcd. It has gone on there if etcd knows the
 * engine that the file is beside; as long as etcd is not reached, nobody can tell.
 *
 * @throws Fault membersLeftBehind; the signal's reason
 */
export async function refuseLeftBehind(mount: string, options: LeftBehindOptions, wait: Wait): Promise<void> {
  const { config, uuid, log } = options;
  const { systemDb, name: system } = config;
  const path = membersFile(mount);
  if (systemDb.kind !== "etcd" || !(await exists(path))) return;
  const count = await countMembers(path);
  if (count === 0) return;
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  for (let told = false; ; told = true) {
    try {
      if (!(await etcdKnows(client, { system, uuid }, wait))) break;
      log.warn(`${path} is not used: the members are in etcd`);
      return;
    } catch (error) {
      wait.signal.throwIfAborted();
      if (!told) log.warn("etcd has to tell first whether it has the members of the system", { path, error });
    }
    await delay(PAUSE_MS, wait);
  }
  throw faultMembersLeftBehind(path, count, config.path);
}

async function countMembers(path: string): Promise<number> {
  await using held = await holdMembers(path);
  return held.members.length + held.unreadable.length;
}
