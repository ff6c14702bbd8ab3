import type { EtcdClient } from "@daos/etcd";
import { EtcdCluster, SeverableProxy } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { delay } from "@daos/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CandidateProcess, now } from "./testing/candidate-process.ts";
import { readFencing } from "./testing/watch-fencing.ts";

/** A new leader must be there within this time of losing the old one. */
const FAIL_OVER_MS = 5_000;

let cluster: EtcdCluster;
let client: EtcdClient;
beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 3 });
  client = cluster.client();
}, 30_000);
afterAll(async () => {
  client[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

let systems = 0;

interface Contest extends AsyncDisposable {
  readonly system: string;
  readonly candidates: readonly CandidateProcess[];
  readonly leader: CandidateProcess;
  readonly others: readonly CandidateProcess[];
  /** Ends the candidates, and checks what etcd says they did. */
  finish(): Promise<void>;
}

/** Three candidates of which one leads and has committed something, and the others know it. */
async function contest(
  endpoints: (index: number) => readonly string[] = () => cluster.endpoints,
): Promise<Contest> {
  const system = `election${systems++}`;
  const candidates = [0, 1, 2].map(
    (index) => new CandidateProcess({ endpoints: endpoints(index), system, address: `node${index}:10001` }),
  );
  const dispose = async () => {
    await Promise.all(candidates.map((candidate) => candidate.kill()));
  };
  try {
    const leader = await firstLeader(candidates, 0, 20_000);
    await leader.event("committed");
    const others = candidates.filter((candidate) => candidate !== leader);
    for (const other of others) {
      await other.event("following", { claim: (event) => event.leader === leader.address });
    }
    expect(candidates.filter(({ leads }) => leads)).toEqual([leader]);
    const finish = async () => {
      await dispose();
      await checkHistory(system, candidates);
    };
    return { system, candidates, leader, others, finish, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Who leads first from `since` on. */
function firstLeader(
  candidates: readonly CandidateProcess[],
  since: number,
  ms: number = FAIL_OVER_MS + 5_000,
): Promise<CandidateProcess> {
  return Promise.any(
    candidates.map(async (candidate) => {
      await candidate.event("leading", { since, ms });
      return candidate;
    }),
  );
}

/** A new leader among `others`, and what passed until then. */
async function nextLeader(others: readonly CandidateProcess[], since: number) {
  const next = await firstLeader(others, since);
  const { at, term } = await next.event("leading", { since });
  await next.event("committed", { claim: (event) => event.term === term });
  return { next, at, term, tookMs: at - since };
}

/** No commit of a term after the next had begun, none that was acknowledged lost, larger terms later. */
async function checkHistory(system: string, candidates: readonly CandidateProcess[]): Promise<void> {
  const report = await readFencing(client, system);
  expect(report.violations).toEqual([]);
  expect(report.terms).toEqual(report.terms.toSorted((a, b) => a - b));
  const acknowledged = candidates.flatMap((candidate) => candidate.all("committed"));
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(report.commits).toBeGreaterThanOrEqual(acknowledged.length);
  for (const { term, incarnation } of acknowledged) {
    expect(report.last.get(term), `commit ${incarnation} of term ${term}`).toBeGreaterThanOrEqual(
      incarnation,
    );
  }
}

describe("EtcdElection", () => {
  it("has one leader of three, and access points that come, change and go", { timeout: 40_000 }, async () => {
    await using three = await contest();
    const { system, leader, others } = three;
    const [first, second] = others as [CandidateProcess, CandidateProcess];
    const listOf = async (candidate: CandidateProcess, list: readonly string[]) => {
      for (const end = now() + 5_000; now() < end; await delay(50)) {
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
    const since = now();
    fourth.ask("resign");
    await fourth.event("ended");
    second.ask("clock jump");
    leader.ask("clock jump");
    await listOf(first, listed(0, 1, 2));
    expect(now() - since).toBeLessThan(2_000);
    await delay(3_500);
    expect(leader.all("aborted")).toEqual([]);
    expect(fourth.all("leading")).toEqual([]);
    await three.finish();
  });

  it("hands over at once when the leader resigns", { timeout: 40_000 }, async () => {
    await using three = await contest();
    const { leader, others } = three;
    const since = now();
    leader.ask("resign");
    const { at, tookMs } = await nextLeader(others, since);
    const aborted = await leader.event("aborted");
    await leader.event("ended");
    expect(aborted.at).toBeLessThan(at);
    expect(tookMs).toBeLessThan(1_000);
    expect(await leader.event("refused")).toMatchObject({ code: FaultCode.leadershipLost });
    expect(leader.view).toMatchObject({ kind: "following", leader: "nobody" });
    await three.finish();
  });

  it("replaces a leader that is killed", { timeout: 40_000 }, async () => {
    await using three = await contest();
    const { leader, others } = three;
    const since = now();
    await leader.kill();
    const { next, tookMs } = await nextLeader(others, since);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    const [other] = others.filter((candidate) => candidate !== next);
    await other?.event("following", { since, claim: (event) => event.leader === next.address });
    await three.finish();
  });

  it("ends the term of a leader that is cut off before another begins", { timeout: 60_000 }, async () => {
    await using proxies = new AsyncDisposableStack();
    const urls: string[][] = [];
    const wires: SeverableProxy[][] = [];
    for (const index of [0, 1, 2]) {
      wires[index] = await Promise.all(cluster.endpoints.map((url) => SeverableProxy.start(url)));
      for (const proxy of wires[index]) proxies.use(proxy);
      urls[index] = wires[index].map(({ url }) => url);
    }
    await using three = await contest((index) => urls[index] ?? []);
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

  it("lets a leader that was frozen past its lease commit nothing", { timeout: 60_000 }, async () => {
    await using three = await contest();
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

  it("loses nothing when members of etcd die or freeze, one after the other", {
    timeout: 90_000,
  }, async () => {
    await using three = await contest();
    const { candidates } = three;
    for (const [index, member] of cluster.members.entries()) {
      const frozen = index === 0;
      const since = now();
      if (frozen) member.freeze();
      else await member.kill();
      // Whoever leads, old or new, commits again in time.
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

  it("has no leader while etcd is gone, and one when it is back", { timeout: 90_000 }, async () => {
    await using three = await contest();
    const { candidates, leader } = three;
    await Promise.all(cluster.members.map((member) => member.kill()));
    const gone = now();
    for (const candidate of candidates) {
      await candidate.event("following", {
        since: gone,
        claim: (event) => event.leader === "nobody",
        ms: 4_000,
      });
    }
    await leader.event("aborted", { since: gone, ms: 4_000 });
    await delay(3_000);
    for (const candidate of candidates) {
      expect(candidate.view).toMatchObject({ kind: "following", leader: "nobody" });
      expect(candidate.all("log").map(({ message }) => message)).toEqual([
        "this host takes no part in the election, and tries again",
      ]);
    }
    for (const member of cluster.members) member.restart();
    await cluster.ready();
    const back = now();
    const { next, tookMs } = await nextLeader(candidates, back);
    expect(tookMs).toBeLessThan(FAIL_OVER_MS);
    await settled(candidates);
    expect(candidates.filter(({ leads }) => leads)).toEqual([next]);
    await three.finish();
  });
});

/** Resolves when one leads and the others know who. */
async function settled(candidates: readonly CandidateProcess[]): Promise<void> {
  const agree = () => {
    const [leader, ...more] = candidates.filter(({ leads }) => leads);
    if (leader === undefined || more.length > 0) return false;
    const followers = candidates.filter((candidate) => candidate !== leader);
    return followers.every(({ view }) => view?.kind === "following" && view.leader === leader.address);
  };
  for (const end = now() + 8_000; !agree(); await delay(50)) {
    if (now() > end) throw new Error(`no agreement: ${JSON.stringify(candidates.map(({ view }) => view))}`);
  }
}
