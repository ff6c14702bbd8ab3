import assert from "node:assert/strict";
import type { EtcdClient } from "@daos/etcd";
import type { EtcdCluster } from "@daos/etcd/testing";
import { delay } from "@daos/sys";
import { CandidateProcess, now } from "./candidate-process.ts";
import { readFencing } from "./watch-fencing.ts";

/**
 * A new leader must be there within this time of losing the old one. On a machine that has nothing else to do it takes less
 * than 5 s, which `npm run bench:fail-over` shows.
 */
export const FAIL_OVER_MS = 20_000;

let systems = 0;

export interface Contest extends AsyncDisposable {
  readonly system: string;
  readonly candidates: readonly CandidateProcess[];
  readonly leader: CandidateProcess;
  readonly others: readonly CandidateProcess[];
  /** Ends the candidates, and checks etcd's history of them. */
  finish(): Promise<void>;
}

/** Three candidates: one leads and has committed something, and the others know it as the leader. */
export async function contest(
  cluster: EtcdCluster,
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
    await firstLeader(candidates, 0, 40_000);
    // The first leader may have lost its lease again while three processes started at once.
    const leader = await settled(candidates);
    const others = candidates.filter((candidate) => candidate !== leader);
    const finish = async () => {
      await dispose();
      using client = cluster.client();
      await checkHistory(client, system, candidates);
    };
    return { system, candidates, leader, others, finish, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The first leader from `since` on. */
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
export async function nextLeader(others: readonly CandidateProcess[], since: number) {
  const next = await firstLeader(others, since);
  const { at, term } = await next.event("leading", { since });
  await next.event("committed", { claim: (event) => event.term === term });
  return { next, at, term, tookMs: at - since };
}

/**
 * Asserts that no term commits after the next has begun, that no acknowledged commit is lost, and that terms grow.
 *
 * @returns how many commits were acknowledged, and the number of terms
 */
export async function checkHistory(
  client: EtcdClient,
  system: string,
  candidates: readonly CandidateProcess[],
): Promise<{ readonly acknowledged: number; readonly terms: number }> {
  const report = await readFencing(client, system);
  assert.deepEqual(report.violations, []);
  assert.deepEqual(
    report.terms,
    report.terms.toSorted((a, b) => a - b),
  );
  const acknowledged = candidates.flatMap((candidate) => candidate.all("committed"));
  assert(acknowledged.length > 0);
  assert(report.commits >= acknowledged.length);
  for (const { term, incarnation } of acknowledged) {
    assert((report.last.get(term) ?? 0) >= incarnation, `commit ${incarnation} of term ${term} is lost`);
  }
  return { acknowledged: acknowledged.length, terms: report.terms.length };
}

/** Resolves with the leader when one leads and has committed in its term, and the others know who. */
export async function settled(
  candidates: readonly CandidateProcess[],
  ms: number = FAIL_OVER_MS,
): Promise<CandidateProcess> {
  const agreed = () => {
    const [leader, ...more] = candidates.filter(({ leads }) => leads);
    if (leader === undefined || more.length > 0) return undefined;
    const { view } = leader;
    const commits = leader.all("committed");
    if (!commits.some(({ term }) => view?.kind === "leading" && term === view.term)) return undefined;
    const followers = candidates.filter((candidate) => candidate !== leader);
    const known = followers.every(
      (other) => other.view?.kind === "following" && other.view.leader === leader.address,
    );
    return known ? leader : undefined;
  };
  for (const end = now() + ms; ; await delay(50)) {
    const leader = agreed();
    if (leader !== undefined) return leader;
    if (now() > end) throw new Error(`no agreement: ${JSON.stringify(candidates.map(({ view }) => view))}`);
  }
}
