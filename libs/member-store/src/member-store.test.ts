import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EtcdClient } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { parseRank } from "@daos/rank";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventRecord } from "./event-record.ts";
import type { Member } from "./member.ts";
import type { MemberChange, MemberStore } from "./member-store.ts";
import { SqliteMemberStore } from "./sqlite-member-store.ts";
import { openTerm } from "./testing/open-term.ts";
import { sampleMember, sampleUuid } from "./testing/sample-member.ts";
import { samplePool } from "./testing/sample-pool.ts";

/** Opens the store of one system, repeatedly. Its contents stay. */
type OpenStore = () => Promise<MemberStore>;

const put = (member: Member): MemberChange => ({ kind: "put", member });
const remove = (number: number): MemberChange => ({ kind: "remove", uuid: sampleUuid(number) });
const some = (count: number) => Array.from({ length: count }, (_, index) => sampleMember(index));

let systems = 0;
const directory = mkdtempSync(join(tmpdir(), "daos-members-"));
let cluster: EtcdCluster;
let client: EtcdClient;
beforeAll(async () => {
  cluster = await EtcdCluster.start();
  client = cluster.client();
}, 120_000);
afterAll(async () => {
  client[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** The contract of every {@link MemberStore}. Each test gets an empty system. */
describe.each<{ readonly name: string; readonly newSystem: () => OpenStore }>([
  {
    name: "SqliteMemberStore",
    newSystem: () => {
      const path = join(directory, `${systems++}.db`);
      return async () => new SqliteMemberStore(path);
    },
  },
  {
    name: "EtcdMemberStore",
    newSystem: () => {
      const system = `test${systems++}`;
      return async () => (await openTerm(client, system)).store;
    },
  },
])("$name", ({ newSystem }) => {
  const wait = () => ({ signal: AbortSignal.timeout(40_000) });

  /** The members that a newly opened store loads. */
  async function reloaded(open: OpenStore): Promise<readonly Member[]> {
    const store = await open();
    const members = await store.load(wait());
    await store.close();
    return members;
  }

  it("load() returns no members at first, and commit() accepts an empty commit", async () => {
    const open = newSystem();
    const store = await open();
    expect(await store.load(wait())).toEqual([]);
    await store.commit([], wait());
    await store.close();
    expect(await reloaded(open)).toEqual([]);
  });

  it("commit() keeps every field of a member, and load() returns members by rank", async () => {
    const open = newSystem();
    const store = await open();
    const members = [
      sampleMember(2, { uuid: sampleUuid(0), address: { host: "fe80::1", port: 2 }, incarnation: 7 }),
      sampleMember(0, { uuid: sampleUuid(9), state: "errored", reason: 'exit 3\n"why"', contexts: 0 }),
      sampleMember(1, { rank: parseRank(4_294_967_294), faultDomain: "", since: 0, uri: "€ 𝄞" }),
    ];
    await store.commit(members.map(put), wait());
    await store.close();
    expect(await reloaded(open)).toEqual([members[1], members[0], members[2]]);
  });

  it("commit() replaces and removes members, and accepts unknown uuids and two changes of one member", async () => {
    const open = newSystem();
    const store = await open();
    await store.commit(some(4).map(put), wait());
    const moved = sampleMember(1, { address: { host: "other", port: 1 }, incarnation: 2 });
    await store.commit([put(sampleMember(1)), put(moved), remove(2), remove(77)], wait());
    await store.commit([put(sampleMember(3)), remove(3)], wait());
    await store.close();
    expect(await reloaded(open)).toEqual([sampleMember(0), moved]);
  });

  it("commitPools() keeps every field of a pool, replaces and removes pools, and leaves members alone", async () => {
    const open = newSystem();
    const store = await open();
    expect(await store.loadPools(wait())).toEqual([]);
    await store.commit(some(2).map(put), wait());
    const pools = [
      samplePool(3, { label: "", user: "", ranks: [], svcReplicas: [], state: "creating" }),
      samplePool(1, { createdBy: "€ 𝄞", scmBytes: 2n ** 64n - 1n, nvmeBytes: 0n }),
      samplePool(2),
    ];
    await store.commitPools(
      pools.map((pool) => ({ kind: "put", pool })),
      wait(),
    );
    const destroying = samplePool(2, { state: "destroying" });
    await store.commitPools(
      [
        { kind: "put", pool: samplePool(2) },
        { kind: "put", pool: destroying },
        { kind: "remove", uuid: samplePool(3).uuid },
        { kind: "remove", uuid: samplePool(77).uuid },
      ],
      wait(),
    );
    expect(await store.loadPools(wait())).toEqual([pools[1], destroying]);
    await store.close();
    const again = await open();
    expect(await again.loadPools(wait())).toEqual([pools[1], destroying]);
    expect(await again.load(wait())).toEqual(some(2));
    await again.close();
  });

  it("commitEvents() keeps every field of events, replaces them by number, and removes those before `from`", async () => {
    const open = newSystem();
    const store = await open();
    expect(await store.loadEvents(wait())).toEqual([]);
    await store.commit(some(2).map(put), wait());
    const event = (number: number, more: Partial<EventRecord> = {}): EventRecord => ({
      number,
      time: 1_700_000_000_000 + number,
      kind: "member_joined",
      severity: "notice",
      message: `event ${number}: "€ 𝄞"`,
      ...more,
    });
    const full = event(10, {
      severity: "error",
      rank: parseRank(3),
      uuid: sampleUuid(1),
      address: { host: "fe80::1", port: 10001 },
    });
    const many = Array.from({ length: 300 }, (_, index) => event(index + 11));
    await store.commitEvents({ events: [event(2), event(9), full, ...many], from: 1 }, wait());
    const again = event(9, { kind: "a_later_release_knows_it", severity: "warning" });
    await store.commitEvents({ events: [again, event(311)], from: 9 }, wait());
    await store.close();
    const opened = await open();
    expect(await opened.loadEvents(wait())).toEqual([again, full, ...many, event(311)]);
    await opened.commitEvents({ events: [], from: 312 }, wait());
    expect(await opened.loadEvents(wait())).toEqual([]);
    expect(await opened.load(wait())).toEqual(some(2));
    await opened.close();
  });

  it("commitPools() takes more pools than fit into one transaction", async () => {
    const open = newSystem();
    const store = await open();
    const pools = Array.from({ length: 3_500 }, (_, number) => samplePool(number));
    await store.commitPools(
      pools.map((pool) => ({ kind: "put", pool })),
      wait(),
    );
    await store.close();
    const again = await open();
    expect(await again.loadPools(wait())).toEqual(pools);
    await again.close();
  });

  it("load() returns what the same store committed", async () => {
    const store = await newSystem()();
    await store.commit([put(sampleMember(5))], wait());
    expect(await store.load(wait())).toEqual([sampleMember(5)]);
    await store.close();
  });

  it("commit() checks ranks by the result of the whole commit", async () => {
    const store = await newSystem()();
    const [first, second] = [
      sampleMember(0, { rank: parseRank(5) }),
      sampleMember(1, { rank: parseRank(5) }),
    ];
    await store.commit([put(second), put(first), put({ ...first, rank: parseRank(6) })], wait());
    const thief = sampleMember(2, { rank: parseRank(5) });
    await expect(store.commit([put(thief)], wait())).rejects.toMatchObject({
      code: FaultCode.memberConflict,
    });
    expect((await store.load(wait())).map(({ uuid, rank }) => [uuid, rank])).toEqual([
      [second.uuid, 5],
      [first.uuid, 6],
    ]);
    await store.close();
  });

  it("commit() changes nothing and refuses when two members would have one rank", async () => {
    const open = newSystem();
    const store = await open();
    await store.commit([put(sampleMember(0)), put(sampleMember(1))], wait());
    const thief = sampleMember(7, { rank: parseRank(1) });
    const refused = { code: FaultCode.memberConflict };
    await expect(store.commit([put(sampleMember(3)), put(thief)], wait())).rejects.toMatchObject(refused);
    const twins = [put(thief), put(sampleMember(8, { rank: parseRank(1) })), remove(1)];
    await expect(store.commit(twins, wait())).rejects.toMatchObject(refused);
    expect(await store.load(wait())).toEqual([sampleMember(0), sampleMember(1)]);
    // A rank is free once its member is removed, or takes another rank, in the same commit.
    await store.commit([put(thief), put(sampleMember(1, { rank: parseRank(2) }))], wait());
    await store.commit([remove(7), put(sampleMember(9, { rank: parseRank(1) }))], wait());
    await store.close();
    expect((await reloaded(open)).map(({ uuid }) => uuid)).toEqual([0, 9, 1].map(sampleUuid));
  });

  it("commit() knows the owner of a rank after it had another owner within a commit", async () => {
    const store = await newSystem()();
    await store.commit([put(sampleMember(9))], wait());
    const passing = sampleMember(3, { rank: parseRank(9) });
    await store.commit([put(passing), put(sampleMember(3))], wait());
    await store.commit([put(passing), remove(3)], wait());
    const late = store.commit([put(sampleMember(4, { rank: parseRank(9) }))], wait());
    await expect(late).rejects.toMatchObject({ code: FaultCode.memberConflict });
    expect(await store.load(wait())).toEqual([sampleMember(9)]);
    await store.close();
  });

  it("commit() runs concurrent commits one at a time, in the order of the calls", async () => {
    const open = newSystem();
    const store = await open();
    const commits = Array.from({ length: 20 }, (_, index) =>
      store.commit([put(sampleMember(0, { incarnation: index })), put(sampleMember(index + 1))], wait()),
    );
    await Promise.all(commits);
    await store.close();
    const [first, ...rest] = await reloaded(open);
    expect(first?.incarnation).toBe(19);
    expect(rest).toHaveLength(20);
  });

  it("commit() keeps two thousand members at once, and a change of all of them", async () => {
    const open = newSystem();
    const store = await open();
    await store.commit(some(2048).map(put), wait());
    const all = some(2048).map((member) => ({ ...member, state: "stopped" as const }));
    await store.commit(all.map(put), wait());
    await store.close();
    expect(await reloaded(open)).toEqual(all);
  });

  it("commit() keeps a commit of any size", async () => {
    const open = newSystem();
    const store = await open();
    const reason = "x".repeat(400);
    const all = some(7_000).map((member) => ({ ...member, reason }));
    await store.commit([...all.map(put), remove(3)], wait());
    await store.commit([put(sampleMember(3))], wait());
    await store.close();
    const members = await reloaded(open);
    expect(members).toHaveLength(7_000);
    expect(members[3]).toEqual(sampleMember(3));
    expect(members[6_999]).toEqual(all[6_999]);
  });

  it("commit() changes nothing when its signal has aborted", async () => {
    const open = newSystem();
    const store = await open();
    const signal = AbortSignal.abort(new Error("no more"));
    await expect(store.commit([put(sampleMember(1))], { signal })).rejects.toThrow("no more");
    await store.close();
    expect(await reloaded(open)).toEqual([]);
  });

  it("load() and commit() fail once the store is closed", async () => {
    const store = await newSystem()();
    await store.close();
    await store.close();
    const unusable = { code: FaultCode.memberStoreUnusable };
    await expect(store.commit([put(sampleMember(1))], wait())).rejects.toMatchObject(unusable);
    await expect(store.load(wait())).rejects.toMatchObject(unusable);
  });
});
