import { EtcdCluster, SeverableProxy } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { delay } from "@daos/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CandidateProcess, now } from "./testing/candidate-process.ts";
import { contest, FAIL_OVER_MS, nextLeader } from "./testing/contest.ts";

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 3 });
}, 120_000);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

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
    await delay(3_500);
    expect(leader.all("aborted")).toEqual([]);
    expect(fourth.all("leading")).toEqual([]);
    await three.finish();
  });

  it("hands over at once when the leader resigns", { timeout: 120_000 }, async () => {
    await using three = await contest(cluster);
    const { leader, others } = three;
    const since = now();
    leader.ask("resign");
    const { next, at, tookMs } = await nextLeader(others, since);
    const aborted = await leader.event("aborted");
    await leader.event("ended");
    expect(aborted.at).toBeLessThan(at);
    expect(await leader.event("refused")).toMatchObject({ code: FaultCode.leadershipLost });
    expect(leader.view).toMatchObject({ kind: "following", leader: "nobody" });
    // One that only dies is waited for.
    const killedAt = now();
    await next.kill();
    const killed = await nextLeader(
      others.filter((other) => other !== next),
      killedAt,
    );
    expect(tookMs).toBeLessThan(killed.tookMs);
    await three.finish();
  });

  it("replaces a leader that is killed", { timeout: 120_000 }, async () => {
    await using three = await contest(cluster);
    const { leader, others } = three;
    const since = now();
    await leader.kill();
    const { next, tookMs } = await nextLeader(others, since);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    const [other] = others.filter((candidate) => candidate !== next);
    await other?.event("following", { since, claim: (event) => event.leader === next.address });
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
    const aborted = await leader.event("aborted");
    expect(aborted.at).toBeLessThan(at);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    expect(await leader.event("refused")).toMatchObject({ code: FaultCode.leadershipLost });
    expect(leader.view).toMatchObject({ kind: "following", leader: "nobody" });
    await delay(2_500);
    for (const proxy of ofLeader) proxy.mend();
    const back = now();
    await leader.event("following", { since: back, claim: (event) => event.leader === next.address });
    expect(leader.all("log").map(({ message }) => message)).toEqual([
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
    expect(await leader.event("refused")).toMatchObject({ code: FaultCode.leadershipLost });
    expect(next.leads).toBe(true);
    await three.finish();
  });
});
