import { DatabaseSync } from "node:sqlite";
import { bytes, type EtcdCalls, prefixEnd, text } from "@daos/etcd";
import { Fault } from "@daos/fault";
import { readKeptEvent } from "./encode-event.ts";
import { isUnreadable, readKept } from "./encode-member.ts";
import { isUnreadablePool, readKeptPool } from "./encode-pool.ts";
import { etcdKeys } from "./etcd-keys.ts";
import type { EventRecord } from "./event-record.ts";
import { faultMemberStore, faultMembersNotMovable } from "./faults.ts";
import type { Member } from "./member.ts";
import type { UnreadableMember } from "./member-store.ts";
import type { PoolRecord } from "./pool-record.ts";
import { POOL_REASON, SqliteMemberStore } from "./sqlite-member-store.ts";
import { checkIntegrity, hasTable, readContent, readEvents, readPools } from "./stored-content.ts";

/** The members in a store, and its unreadable entries. */
export interface KeptMembers {
  readonly members: readonly Member[];
  readonly pools: readonly PoolRecord[];
  readonly unreadable: readonly UnreadableMember[];
  readonly unreadablePools: readonly UnreadableMember[];
  /** The entries that an earlier repair moved aside. */
  readonly quarantined: readonly UnreadableMember[];
}

/** Reads the file of a system without etcd, also while a server has it open. @throws Fault memberStoreUnusable */
export function readMembersFile(path: string): KeptMembers {
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    checkIntegrity(database, path);
    const kept = readContent(database, path).rows.map(({ uuid, document }) => readKept(uuid, document));
    const quarantined = !hasTable(database, "quarantine")
      ? []
      : database
          .prepare("SELECT uuid, document, reason FROM quarantine")
          .all()
          .map(({ uuid, document, reason }) => ({
            ...(String(reason).startsWith(POOL_REASON) && { kind: "pool" as const }),
            uuid: String(uuid),
            document: String(document),
            reason: String(reason).replace(POOL_REASON, ""),
          }));
    const pools = readPools(database, path).rows.map(({ uuid, document }) => readKeptPool(uuid, document));
    return { ...sortOut(kept), ...sortOutPools(pools), quarantined };
  } catch (error) {
    throw error instanceof Fault ? error : faultMemberStore(path, error);
  }
}

/** Reads the events in that file, oldest first, also while a server has it open. @throws Fault memberStoreUnusable */
export function readEventsFile(path: string): readonly EventRecord[] {
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    return readEvents(database);
  } catch (error) {
    throw error instanceof Fault ? error : faultMemberStore(path, error);
  }
}

/**
 * Moves unreadable members and pools to the table `quarantine` of the same file.
 *
 * @returns the moved entries
 * @throws Fault membersInUse while a server has the file open, memberStoreUnusable
 */
export async function repairMembersFile(path: string): Promise<readonly UnreadableMember[]> {
  const store = new SqliteMemberStore(path, { exclusive: true });
  try {
    const unreadable: UnreadableMember[] = [];
    await store.load({ onUnreadable: (one) => unreadable.push(one) });
    if (unreadable.length > 0) await store.quarantine(unreadable);
    const pools: UnreadableMember[] = [];
    await store.loadPools({ onUnreadable: (one) => pools.push(one) });
    if (pools.length > 0) await store.quarantinePools(pools);
    return [...unreadable, ...pools];
  } finally {
    await store.close();
  }
}

type EtcdReads = Pick<EtcdCalls, "range">;
type EtcdWrites = Pick<EtcdCalls, "range" | "txn">;
interface Wait {
  readonly signal: AbortSignal;
}

const PAGE = 1_000n;

/** Reads the members of a system in etcd. @throws EtcdError */
export async function readMembersInEtcd(client: EtcdReads, system: string, wait: Wait): Promise<KeptMembers> {
  const { members, pools: poolKeys, quarantine } = etcdKeys(system);
  const kept = (await readAll(client, members, wait)).map(({ name, value }) => readKept(name, value));
  const pools = (await readAll(client, poolKeys, wait)).map(({ name, value }) => readKeptPool(name, value));
  const quarantined = (await readAll(client, quarantine, wait)).map(({ value }) => readQuarantined(value));
  return { ...sortOut(kept), ...sortOutPools(pools), quarantined };
}

/** Reads the events of a system in etcd, oldest first. @throws EtcdError */
export async function readEventsInEtcd(
  client: EtcdReads,
  system: string,
  wait: Wait,
): Promise<readonly EventRecord[]> {
  const kept = (await readAll(client, etcdKeys(system).events, wait)).map(({ value }) =>
    readKeptEvent(value),
  );
  return kept.filter((event) => event !== undefined);
}

/**
 * Moves unreadable members and pools in etcd below `/daos/NAME/quarantine/`. Call it only while no server leads.
 *
 * @returns the moved entries
 * @throws EtcdError; Fault membersNotMovable when a document has changed meanwhile
 */
export async function repairMembersInEtcd(
  client: EtcdWrites,
  system: string,
  wait: Wait,
): Promise<readonly UnreadableMember[]> {
  const keys = etcdKeys(system);
  const moved: UnreadableMember[] = [];
  const members = (await readAll(client, keys.members, wait)).map((entry) => ({
    ...entry,
    key: bytes(`${keys.members}${entry.name}`),
    kept: readKept(entry.name, entry.value),
  }));
  const pools = (await readAll(client, keys.pools, wait)).map((entry) => ({
    ...entry,
    key: bytes(`${keys.pools}${entry.name}`),
    kept: readKeptPool(entry.name, entry.value),
  }));
  for (const { name, revision, key, kept } of [...members, ...pools]) {
    if (!("document" in kept)) continue;
    const { succeeded } = await client.txn(
      {
        compare: [{ target: 2, result: 0, key, targetUnion: { case: "modRevision", value: revision } }],
        success: [
          {
            request: {
              case: "requestPut",
              value: { key: bytes(`${keys.quarantine}${revision}`), value: bytes(JSON.stringify(kept)) },
            },
          },
          { request: { case: "requestDeleteRange", value: { key } } },
        ],
      },
      wait,
    );
    if (!succeeded)
      throw faultMembersNotMovable(
        `the entry of ${name} has changed meanwhile`,
        "stop the daos-server of every access point, then try again",
        { attempted: "repair the members of the system" },
      );
    moved.push(kept);
  }
  return moved;
}

async function readAll(client: EtcdReads, prefix: string, wait: Wait) {
  const found: { readonly name: string; readonly value: string; readonly revision: bigint }[] = [];
  let key = bytes(prefix);
  for (;;) {
    const page = await client.range({ key, rangeEnd: prefixEnd(prefix), limit: PAGE }, wait);
    for (const { key: at, value, modRevision } of page.kvs)
      found.push({ name: text(at).slice(prefix.length), value: text(value), revision: modRevision });
    const end = page.kvs.at(-1)?.key;
    if (!page.more || end === undefined) return found;
    key = new Uint8Array([...end, 0]);
  }
}

function readQuarantined(value: string): UnreadableMember {
  const { kind, uuid, document, reason } = JSON.parse(value) as Readonly<Record<string, unknown>>;
  return {
    ...(kind === "pool" && { kind }),
    uuid: String(uuid),
    document: String(document),
    reason: String(reason),
  };
}

function sortOut(kept: readonly (Member | UnreadableMember)[]): Pick<KeptMembers, "members" | "unreadable"> {
  const members = kept.filter((one): one is Member => !isUnreadable(one));
  return { members: members.toSorted((a, b) => a.rank - b.rank), unreadable: kept.filter(isUnreadable) };
}

function sortOutPools(
  kept: readonly (PoolRecord | UnreadableMember)[],
): Pick<KeptMembers, "pools" | "unreadablePools"> {
  return {
    pools: kept.filter((one): one is PoolRecord => !isUnreadablePool(one)),
    unreadablePools: kept.filter(isUnreadablePool),
  };
}
