import { bytes, type EtcdClient } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { etcdKeys, etcdKnows, type Member, type PoolRecord } from "@daos/member-store";
import { openTerm, sampleMember, samplePool, sampleUuid } from "@daos/member-store/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdElection } from "./etcd-election.ts";
import { moveMembers } from "./move-members.ts";

let cluster: EtcdCluster;
let client: EtcdClient;
beforeAll(async () => {
  cluster = await EtcdCluster.start();
  client = cluster.client();
}, 120_000);
afterAll(async () => {
  client[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

let systems = 0;
const newSystem = () => `move${systems++}`;
const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const notMovable = (reason: string) => ({
  code: FaultCode.membersNotMovable,
  message: expect.stringContaining(reason) as string,
});
const some: readonly Member[] = [
  sampleMember(0, { incarnation: 7 }),
  sampleMember(3, { state: "excluded", reason: "its disks are slow", incarnation: 2 }),
  sampleMember(9, { state: "joining", incarnation: 0 }),
];

function election(system: string, host = "mover"): EtcdElection {
  return new EtcdElection({
    client,
    system,
    address: { host, port: 10001 },
    hasReplica: () => false,
    log: silentLogger,
  });
}

function move(system: string, members: readonly Member[] = some, dryRun = false) {
  return moveMembers({ members, pools: [samplePool(1)] }, { election: election(system), dryRun, ...wait() });
}

/** The pools that the next leader finds. */
async function foundPools(system: string): Promise<readonly PoolRecord[]> {
  return (await openTerm(client, system)).store.loadPools(wait());
}

/** What the next leader finds. */
async function found(system: string): Promise<readonly Member[]> {
  return (await openTerm(client, system)).store.load(wait());
}

/** The leader's key. */
async function leaderKeys(system: string) {
  return (await client.range({ key: bytes(etcdKeys(system).leader) }, wait())).kvs;
}

describe("moveMembers", { timeout: 120_000 }, () => {
  it("puts all members into etcd as they are, once", async () => {
    const system = newSystem();
    expect(await move(system, some, true)).toEqual({ wereThere: false });
    expect(await found(system)).toEqual([]);
    // The term of the one that looked has no lease here.
    await client.deleteRange({ key: bytes(etcdKeys(system).leader) }, wait());
    expect(await move(system)).toEqual({ wereThere: false });
    expect(await move(system, some.toReversed())).toEqual({ wereThere: true });
    expect(await found(system)).toEqual(some);
    expect(await foundPools(system)).toEqual([samplePool(1)]);
  });

  it("moves more than fit into one request of etcd", async () => {
    const system = newSystem();
    const many = Array.from({ length: 4_000 }, (_, index) => sampleMember(index));
    await move(system, many);
    expect(await found(system)).toEqual(many);
  });

  it("leaves other members of etcd alone", async () => {
    const system = newSystem();
    await move(system);
    const changed = some.map((member) => ({ ...member, incarnation: member.incarnation + 1 }));
    await expect(move(system, changed)).rejects.toMatchObject(
      notMovable("etcd has other members of the system already: 3"),
    );
    expect(await found(system)).toEqual(some);
  });

  it("is refused while another host leads, and does not lead the system afterwards", async () => {
    const system = newSystem();
    const stop = new AbortController();
    const leading = Promise.withResolvers<void>();
    const other = election(system, "node2").run(
      (view) => {
        if (view.kind === "leading") leading.resolve();
      },
      { signal: stop.signal },
    );
    await leading.promise;
    await expect(move(system)).rejects.toMatchObject(notMovable("node2:10001 leads the system through etcd"));
    stop.abort();
    await other;
    // Else the next one would wait for the end of a lease.
    expect(await leaderKeys(system)).toEqual([]);
    expect(await move(system)).toEqual({ wereThere: false });
    expect(await leaderKeys(system)).toEqual([]);
    expect(await move(system)).toEqual({ wereThere: true });
    expect(await leaderKeys(system)).toEqual([]);
  });

  it("fails with the reason when etcd is unreachable", async () => {
    using nowhere = cluster.client(["http://127.0.0.1:1"]);
    const unreachable = new EtcdElection({
      client: nowhere,
      system: newSystem(),
      address: { host: "mover", port: 10001 },
      hasReplica: () => false,
      log: silentLogger,
    });
    const moving = moveMembers(
      { members: some, pools: [] },
      { election: unreachable, dryRun: false, ...wait() },
    );
    await expect(moving).rejects.toMatchObject(notMovable("no host can lead the system through etcd"));
  });

  it("ends when its signal aborts", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const moving = moveMembers(
      { members: some, pools: [] },
      { election: election(newSystem()), dryRun: false, signal },
    );
    await expect(moving).rejects.toThrow("enough");
  });
});

describe("etcdKnows", () => {
  it("returns whether an engine is a member", async () => {
    const system = newSystem();
    const knows = (number: number) => etcdKnows(client, { system, uuid: sampleUuid(number) }, wait());
    expect(await knows(3)).toBe(false);
    await move(system);
    expect([await knows(3), await knows(4)]).toEqual([true, false]);
  });
});
