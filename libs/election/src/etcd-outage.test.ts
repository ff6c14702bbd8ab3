import { EtcdCluster } from "@daos/etcd/testing";
import { delay } from "@daos/sys";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { now } from "./testing/candidate-process.ts";
import { contest, FAIL_OVER_MS, nextLeader, settled } from "./testing/contest.ts";

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 3 });
}, 120_000);
// A test that fails may have left members killed or frozen.
afterEach(() => cluster.restore());
afterAll(() => cluster[Symbol.asyncDispose]());

describe("EtcdElection, when etcd fails", () => {
  it("loses nothing when members of etcd die or freeze, one after the other", {
    timeout: 120_000,
  }, async () => {
    await using three = await contest(cluster);
    const { candidates } = three;
    for (const [index, member] of cluster.members.entries()) {
      const frozen = index === 0;
      const since = now();
      if (frozen) member.freeze();
      else await member.kill();
      // The leader, old or new, commits again in time.
      const commits = candidates.map((candidate) => candidate.event("committed", { since: since + 300 }));
      const { at } = await Promise.any(commits);
      expect(at - since).toBeLessThan(FAIL_OVER_MS);
      if (frozen) member.thaw();
      else member.restart();
      await cluster.ready();
      await settled(candidates);
    }
    await three.finish();
  });

  it("replaces a leader that dies together with the leader of etcd", { timeout: 120_000 }, async () => {
    await using three = await contest(cluster);
    const { leader, others } = three;
    const member = await cluster.leader();
    const since = now();
    await Promise.all([leader.kill(), member.kill()]);
    const { tookMs } = await nextLeader(others, since);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    member.restart();
    await cluster.ready();
    await three.finish();
  });

  it("has no leader while etcd is gone, and one when it is back", { timeout: 120_000 }, async () => {
    await using three = await contest(cluster);
    const { candidates, leader } = three;
    const gone = now();
    await Promise.all(cluster.members.map((member) => member.kill()));
    for (const candidate of candidates) {
      await candidate.event("following", {
        since: gone,
        claim: (event) => event.leader === "none",
      });
    }
    await leader.event("aborted", { since: gone });
    await delay(3_000);
    for (const candidate of candidates) {
      expect(candidate.view).toMatchObject({ kind: "following", leader: "none" });
      await candidate.event("log", { since: gone });
      const logged = candidate.all("log").filter(({ at }) => at >= gone);
      expect(logged.map(({ message }) => message)).toEqual([
        "this host takes no part in the election, and tries again",
      ]);
    }
    const restarted = now();
    for (const member of cluster.members) member.restart();
    await cluster.ready();
    const back = now();
    // Two members are enough for one, before the third is ready.
    const { at } = await nextLeader(candidates, restarted);
    expect(at - back).toBeLessThan(FAIL_OVER_MS);
    await settled(candidates);
    await three.finish();
  });
});
