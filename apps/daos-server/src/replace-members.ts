import { chown, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { faultNoEngines, type ServerConfig } from "@daos/config";
import { EtcdElection, whileLeading } from "@daos/election";
import { EtcdClient } from "@daos/etcd";
import type { Logger } from "@daos/log";
import {
  checkEtcdIdentity,
  etcdKeys,
  faultMembersNotMovable,
  type Member,
  type MemberChange,
  type MemberStore,
  type MembersExport,
  membersFile,
  openToReplace,
  type PoolRecord,
  type UnreadableMember,
} from "@daos/member-store";
import { readSuperblock, superblockPath } from "@daos/superblock";
import { openMembersState } from "./members-state.ts";

interface Options {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The configured store, locked against servers. */
interface OpenedStore {
  readonly where: string;
  readonly store: MemberStore;
  /** The new name of a damaged members' file. */
  readonly movedAside: string | undefined;
}

export interface ReplacedMembers {
  readonly where: string;
  /** The former number of members in the store. */
  readonly replaced: number;
  readonly movedAside: string | undefined;
}

/**
 * Writes the members of an export to the configured store in one commit. A lost, empty or older store is thereby accepted.
 *
 * @param options `force` replaces the members that the store has
 * @throws Fault membersNotMovable when the export is of another system, or the store has members; membersInUse; of the store
 */
export async function replaceMembers(
  config: ServerConfig,
  { system, members, pools }: MembersExport,
  { attempted, force, ...options }: Options & { readonly attempted: string; readonly force: boolean },
): Promise<ReplacedMembers> {
  if (system !== config.name) {
    throw faultMembersNotMovable(
      `they are those of the system ${system}, and ${config.path} is of ${config.name}`,
      "give the export of this system, or the configuration of that one",
      { attempted },
    );
  }
  return withStore(config, { attempted, moveDamaged: true, ...options }, async (opened) => {
    const { where, store, movedAside } = opened;
    const { signal } = options;
    const unreadable: UnreadableMember[] = [];
    const before = await store.load({ signal, onUnreadable: (one) => unreadable.push(one) });
    const replaced = before.length + unreadable.length;
    if (replaced > 0 && !force) throw faultNotEmpty(attempted, where, replaced);
    await replacePools(store, pools, { signal });
    await store.commit(changesTo(members, [...before, ...unreadable]), { signal });
    return { where, replaced, movedAside };
  });
}

/** An export of a release without a pool registry does not change the pools of the store. */
async function replacePools(
  store: MemberStore,
  pools: readonly PoolRecord[],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  if (pools.length === 0) return;
  const kept = new Set(pools.map(({ uuid }) => uuid));
  const unreadable: UnreadableMember[] = [];
  const before = await store.loadPools({ signal, onUnreadable: (one) => unreadable.push(one) });
  const gone = [...before, ...unreadable].filter(({ uuid }) => !kept.has(uuid));
  await store.commitPools(
    [
      ...gone.map(({ uuid }) => ({ kind: "remove", uuid }) as const),
      ...pools.map((pool) => ({ kind: "put", pool }) as const),
    ],
    { signal },
  );
}

/** Accepts the present content of the store for every host. @throws like {@link replaceMembers} */
export async function acceptStore(
  config: ServerConfig,
  options: Options,
): Promise<{
  readonly where: string;
  readonly members: readonly Member[];
  readonly unreadable: number;
  /** The new path of this host's copy. */
  readonly copy: string | undefined;
}> {
  const attempted = "accept the store of the members";
  const accepted = await withStore(
    config,
    { attempted, moveDamaged: false, ...options },
    async ({ where, store }) => {
      let unreadable = 0;
      const members = await store.load({ signal: options.signal, onUnreadable: () => unreadable++ });
      return { where, members, unreadable };
    },
  );
  const state = await openMembersState(config, options.log);
  return { ...accepted, copy: await state?.keepAside() };
}

async function withStore<T>(
  config: ServerConfig,
  options: Options & { readonly attempted: string; readonly moveDamaged: boolean },
  work: (opened: OpenedStore) => Promise<T>,
): Promise<T> {
  const { systemDb } = config;
  if (systemDb.kind !== "etcd") return inFile(config, options, work);
  const { log, signal, attempted } = options;
  const state = await openMembersState(config, log);
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  const { leaseSeconds } = config.failureDetection;
  const election = new EtcdElection({
    client,
    system: config.name,
    address: { host: hostname(), port: config.port },
    hasReplica: () => false,
    leaseSeconds,
    log,
  });
  const where = `etcd (${systemDb.endpoints.join(", ")})`;
  const keys = etcdKeys(config.name);
  return await whileLeading({ election, attempted, leaseSeconds, signal }, async ({ store }) => {
    const result = await work({ where, store, movedAside: undefined });
    // The last step: waiting access points lead as soon as they see it.
    if (state !== undefined)
      await checkEtcdIdentity(client, { keys, marker: state.marker, accept: true, signal });
    return result;
  });
}

async function inFile<T>(
  { engines: [engine], name: system, path: configPath }: ServerConfig,
  { attempted, moveDamaged }: { readonly attempted: string; readonly moveDamaged: boolean },
  work: (opened: OpenedStore) => Promise<T>,
): Promise<T> {
  if (engine === undefined) throw faultNoEngines(configPath);
  const { mount } = engine.scm;
  if ((await readSuperblock(mount, { system })) === undefined) {
    throw faultMembersNotMovable(
      `${mount} is not mounted, or not formatted`,
      "run this on the first access point, with the storage of its first engine mounted",
      { attempted },
    );
  }
  const path = membersFile(mount);
  const { store, movedAside } = await openToReplace(mount, { moveDamaged });
  try {
    return await work({ where: path, store, movedAside });
  } finally {
    await store.close();
    await giveToOwner(mount, path);
  }
}

/** A file that root creates gets the owner of the superblock, which is the server's user. */
async function giveToOwner(mount: string, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(superblockPath(mount));
  await chown(path, uid, gid);
}

/** The changes that make these the only members. */
function changesTo(
  members: readonly Member[],
  before: readonly { readonly uuid: string }[],
): readonly MemberChange[] {
  const kept = new Set(members.map(({ uuid }) => uuid));
  return [
    ...before.filter(({ uuid }) => !kept.has(uuid)).map(({ uuid }) => ({ kind: "remove", uuid }) as const),
    ...members.map((member) => ({ kind: "put", member }) as const),
  ];
}

function faultNotEmpty(attempted: string, where: string, count: number) {
  return faultMembersNotMovable(
    `${where} has members already: ${count}`,
    "list them with daos-server members check; to replace them, repeat with --force",
    { attempted },
  );
}
