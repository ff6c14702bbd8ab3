import { bytes } from "@daos/etcd";
import { EtcdCluster, SeverableProxy } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { etcdKeys } from "@daos/member-store";
import { delay } from "@daos/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CandidateProcess, now } from "./testing/candidate-process.ts";
import { contest, FAIL_OVER_MS, nextLeader, settled } from "./testing/contest.ts";

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 3 });
}, 120_000);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

const wait = () => ({ signal: AbortSignal.timeout(40_000) });

/** Whether the term of the leader goes on for longer than its lease when the clocks of all jump by a day. */
async function outlivesClockJump(candidates: readonly CandidateProcess[]): Promise<boolean> {
  const leader = await settled(candidates);
  const { term } = leader.all("leading").at(-1) ?? {};
  const since = now();
  for (const candidate of candidates) candidate.ask("clock jump");
  return Promise.race([
    leader
      .event("committed", { since: since + 3_500, claim: (event) => event.term === term })
      .then(() => true),
    leader.event("aborted", { since }).then(() => false),
  ]);
}

/** How long the system had no leader after a leader had resigned, and after the next one was killed, ms. */
async function handOver(): Promise<{ readonly resigned: number; readonly killed: number }> {
  await using three = await contest(cluster);
  const { system, leader, others } = three;
  using client = cluster.client();
  const { kvs } = await client.range({ key: bytes(etcdKeys(system).leader) }, wait());
  expect(kvs).toHaveLength(1);
  const since = now();
  leader.ask("resign");
  await leader.event("ended");
  expect(await client.leaseKeepAlive(kvs[0]?.lease ?? 0n, wait()), "seconds left of its lease").toBe(0);
  const { next, at, tookMs: resigned } = await nextLeader(others, since);
  const aborted = await leader.event("aborted", { since });
  expect(aborted.at).toBeLessThan(at);
  expect(await leader.event("refused", { since })).toMatchObject({ code: FaultCode.leadershipLost });
  expect(leader.view).toMatchObject({ kind: "following", leader: "none" });
  const killedAt = now();
  await next.kill();
  const rest = others.filter((other) => other !== next);
  const { tookMs: killed } = await nextLeader(rest, killedAt);
  await three.finish();
  return { resigned, killed };
}

describe("EtcdElection", () => {
  it("has one leader of three, and access points that come, change and go", {
    timeout: 120_000,
  }, async () => {
    await using three = await contest(cluster);
    const { system, leader, others } = three;
    const [first, second] = others as [CandidateProcess, CandidateProcess];
    const listOf = async (candidate: CandidateProcess, list: readonly string[]) => {
      for (const end = now() + FAIL_OVER_MS; now() < end; await delay(50)) {
        const since = now();
        candidate.ask("access points");
        const { list: found } = await candidate.event("access points", { since });
        if (found.join() === list.join()) return;
      }
      expect(candidate.all("access points").at(-1)?.list).toEqual(list);
    };
    const listed = (...numbers: number[]) => numbers.map((number) => `node${number}:10001 false`);
    await listOf(leader, listed(0, 1, 2));
    await listOf(first, listed(0, 1, 2));
    await using fourth = new CandidateProcess({
      endpoints: cluster.endpoints,
      system,
      address: "node3:10001",
    });
    await fourth.event("following", { claim: (event) => event.leader === leader.address });
    await listOf(leader, listed(0, 1, 2, 3));
    fourth.ask("replica");
    await listOf(first, [...listed(0, 1, 2), "node3:10001 true"]);
    fourth.ask("resign");
    await fourth.event("ended");
    second.ask("clock jump");
    leader.ask("clock jump");
    await listOf(first, listed(0, 1, 2));
    expect(fourth.all("leading")).toEqual([]);
    // A candidate that used the wall clock would end a term at every jump. A machine that stalls ends one now and then.
    for (let tries = 1; !(await outlivesClockJump(three.candidates)); tries++) {
      expect(tries, "terms that ended at a jump").toBeLessThan(4);
    }
    await three.finish();
  });

  it("hands over at once when the leader resigns", { timeout: 120_000 }, async () => {
    // One that only dies is waited for. A machine that stalls may take as long for the other, but not every time.
    for (let tries = 1; ; tries++) {
      const { resigned, killed } = await handOver();
      if (resigned < killed) break;
      expect(tries, "times that the system had no leader for as long").toBeLessThan(3);
    }
  });

  it("replaces a leader that is killed", { timeout: 120_000 }, async () => {
    await using three = await contest(cluster);
    const { leader, others } = three;
    const since = now();
    await leader.kill();
    const { tookMs } = await nextLeader(others, since);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    await settled(others);
    await three.finish();
  });

  it("ends the term of a leader that is cut off before another begins", { timeout: 120_000 }, async () => {
    await using proxies = new AsyncDisposableStack();
    const urls: string[][] = [];
    const wires: SeverableProxy[][] = [];
    for (const index of [0, 1, 2]) {
      wires[index] = await Promise.all(cluster.endpoints.map((url) => SeverableProxy.start(url)));
      for (const proxy of wires[index]) proxies.use(proxy);
      urls[index] = wires[index].map(({ url }) => url);
    }
    await using three = await contest(cluster, (index) => urls[index] ?? []);
    const { candidates, leader, others } = three;
    const ofLeader = wires[candidates.indexOf(leader)] ?? [];
    const since = now();
    for (const proxy of ofLeader) proxy.cut();
    const { next, at, tookMs } = await nextLeader(others, since);
    const aborted = await leader.event("aborted", { since });
    expect(aborted.at).toBeLessThan(at);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    expect(await leader.event("refused", { since })).toMatchObject({ code: FaultCode.leadershipLost });
    expect(leader.view).toMatchObject({ kind: "following", leader: "none" });
    await leader.event("log", { since });
    await delay(2_500);
    for (const proxy of ofLeader) proxy.mend();
    const back = now();
    await leader.event("following", { since: back, claim: (event) => event.leader === next.address });
    const logged = leader.all("log").filter((event) => event.at >= since);
    expect(logged.map(({ message }) => message)).toEqual([
      "this host takes no part in the election, and tries again",
      "this host takes part in the election again",
    ]);
    await three.finish();
  });

  it("lets a leader that was frozen past its lease commit nothing", { timeout: 120_000 }, async () => {
    await using three = await contest(cluster);
    const { leader, others } = three;
    const since = now();
    leader.freeze();
    const { next, tookMs } = await nextLeader(others, since);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    await delay(1_000);
    const thawed = now();
    leader.thaw();
    await leader.event("following", { since: thawed, claim: (event) => event.leader === next.address });
    expect(await leader.event("refused", { since })).toMatchObject({ code: FaultCode.leadershipLost });
    expect(next.leads).toBe(true);
    await three.finish();
  });
});
