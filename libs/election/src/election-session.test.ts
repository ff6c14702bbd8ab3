import { Code } from "@connectrpc/connect";
import { bytes, type EtcdClient } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { etcdKeys } from "@daos/member-store";
import { delay } from "@daos/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ElectionSession, type ElectionStatus } from "./election-session.ts";

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

const wait = () => ({ signal: AbortSignal.timeout(30_000) });

/** A candidate, and how things stand for it. */
async function candidate(system: string, host: string, compactMs?: number) {
  const statuses: ElectionStatus[] = [];
  const session = await ElectionSession.begin(
    {
      client,
      keys: etcdKeys(system),
      self: () => ({ address: { host, port: 1 }, hasReplica: false }),
      compactMs,
    },
    wait(),
  );
  const ended = session.run((status) => statuses.push(status)).catch((error: unknown) => error);
  return {
    session,
    ended,
    statuses,
    leads: () => statuses.at(-1)?.leader?.isSelf === true,
    [Symbol.asyncDispose]: async () => {
      await session.resign();
      await ended;
    },
  };
}

/** @throws Error after 30 s */
async function until(claim: () => boolean): Promise<void> {
  const { signal } = wait();
  while (!claim()) await delay(10, { signal });
}

describe("ElectionSession", () => {
  it("replaces a leader without heartbeat whose lease etcd keeps alive", async () => {
    const keys = etcdKeys("silent");
    const { ID } = await client.leaseGrant(600, wait());
    const value = bytes('{"address":"dead:1","hasReplica":true}');
    await client.put({ key: bytes(keys.leader), value, lease: ID }, wait());
    const since = performance.now();
    await using one = await candidate("silent", "one");
    await using two = await candidate("silent", "two");
    await until(() => one.statuses.at(-1)?.leader?.accessPoint.address.host === "dead");
    await until(() => one.leads() || two.leads());
    expect(performance.now() - since).toBeGreaterThan(2_500);
    await delay(1_000);
    expect([one, two].filter((each) => each.leads())).toHaveLength(1);
  });

  it("ends when another client deletes its lease, and says so", async () => {
    const one = await candidate("ended", "one");
    await until(one.leads);
    const { kvs } = await client.range({ key: bytes(etcdKeys("ended").leader) }, wait());
    await client.leaseRevoke(kvs[0]?.lease ?? 0n, wait());
    expect(await one.ended).toMatchObject({ message: "etcd has ended the lease" });
    expect(one.session.holds()).toBe(false);
  });

  it("compacts old revisions of etcd while it leads", async () => {
    const compactMs = 2_000;
    await using one = await candidate("old", "one", compactMs);
    await until(one.leads);
    const since = performance.now();
    const { header } = await client.put({ key: bytes("/old"), value: bytes("1") }, wait());
    await client.put({ key: bytes("/old"), value: bytes("2") }, wait());
    const then = () =>
      client.range({ key: bytes("/old"), revision: header?.revision ?? 0n }, wait()).then(
        () => "known",
        (error: unknown) => error,
      );
    const first = await then();
    // Only what is older than that is forgotten; a machine that stalls may ask too late.
    if (performance.now() - since < compactMs) expect(first).toBe("known");
    await expect.poll(then, { interval: 100 }).toMatchObject({
      outcome: "refused",
      code: Code.OutOfRange,
    });
    const { kvs } = await client.range({ key: bytes("/old") }, wait());
    expect(kvs).toHaveLength(1);
  });
});
