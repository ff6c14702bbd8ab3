import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EtcdClient } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { parseRank } from "@daos/rank";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Member } from "./member.ts";
import type { MemberChange, MemberStore } from "./member-store.ts";
import { SqliteMemberStore } from "./sqlite-member-store.ts";
import { openTerm } from "./testing/open-term.ts";
import { sampleMember, sampleUuid } from "./testing/sample-member.ts";

/** Opens the store of one system, again and again; what it holds stays. */
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

/** What every {@link MemberStore} must do; each test gets an empty system. */
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

  /** What a store opened anew loads. */
  async function reloaded(open: OpenStore): Promise<readonly Member[]> {
    const store = await open();
    const members = await store.load(wait());
    await store.close();
    return members;
  }

  it("is empty at first, and keeps an empty commit", async () => {
    const open = newSystem();
    const store = await open();
    expect(await store.load(wait())).toEqual([]);
    await store.commit([], wait());
    await store.close();
    expect(await reloaded(open)).toEqual([]);
  });

  it("keeps every field of a member, and loads members by rank", async () => {
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

  it("replaces a member, forgets one, and minds neither an unknown one nor two changes of the same", async () => {
    const open = newSystem();
    const store = await open();
    await store.commit(some(4).map(put), wait());
    const moved = sampleMember(1, { address: { host: "other", port: 1 }, incarnation: 2 });
    await store.commit([put(sampleMember(1)), put(moved), remove(2), remove(77)], wait());
    await store.commit([put(sampleMember(3)), remove(3)], wait());
    await store.close();
    expect(await reloaded(open)).toEqual([sampleMember(0), moved]);
  });

  it("loads what it has committed itself", async () => {
    const store = await newSystem()();
    await store.commit([put(sampleMember(5))], wait());
    expect(await store.load(wait())).toEqual([sampleMember(5)]);
    await store.close();
  });

  it("judges a commit by what it leaves, and knows ranks by what it left", async () => {
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

  it("gives no rank to two members, and changes nothing then", async () => {
    const open = newSystem();
    const store = await open();
    await store.commit([put(sampleMember(0)), put(sampleMember(1))], wait());
    const thief = sampleMember(7, { rank: parseRank(1) });
    const refused = { code: FaultCode.memberConflict };
    await expect(store.commit([put(sampleMember(3)), put(thief)], wait())).rejects.toMatchObject(refused);
    const twins = [put(thief), put(sampleMember(8, { rank: parseRank(1) })), remove(1)];
    await expect(store.commit(twins, wait())).rejects.toMatchObject(refused);
    expect(await store.load(wait())).toEqual([sampleMember(0), sampleMember(1)]);
    // The rank is free as soon as its member goes, or takes another one, in the same commit.
    await store.commit([put(thief), put(sampleMember(1, { rank: parseRank(2) }))], wait());
    await store.commit([remove(7), put(sampleMember(9, { rank: parseRank(1) }))], wait());
    await store.close();
    expect((await reloaded(open)).map(({ uuid }) => uuid)).toEqual([0, 9, 1].map(sampleUuid));
  });

  it("knows who has a rank after a commit in which another one had it for a while", async () => {
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

  it("makes the commits of concurrent callers one after the other, in the order of the calls", async () => {
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

  it("keeps two thousand members committed at once, and a change of all of them", async () => {
    const open = newSystem();
    const store = await open();
    await store.commit(some(2048).map(put), wait());
    const all = some(2048).map((member) => ({ ...member, state: "stopped" as const }));
    await store.commit(all.map(put), wait());
    await store.close();
    expect(await reloaded(open)).toEqual(all);
  });

  it("keeps a commit of any size", async () => {
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

  it("does not begin what is cancelled before", async () => {
    const open = newSystem();
    const store = await open();
    const signal = AbortSignal.abort(new Error("no more"));
    await expect(store.commit([put(sampleMember(1))], { signal })).rejects.toThrow("no more");
    await store.close();
    expect(await reloaded(open)).toEqual([]);
  });

  it("is unusable once it is closed", async () => {
    const store = await newSystem()();
    await store.close();
    await store.close();
    const unusable = { code: FaultCode.memberStoreUnusable };
    await expect(store.commit([put(sampleMember(1))], wait())).rejects.toMatchObject(unusable);
    await expect(store.load(wait())).rejects.toMatchObject(unusable);
  });
});
