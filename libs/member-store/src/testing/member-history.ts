import assert from "node:assert/strict";
import type { EtcdClient } from "@daos/etcd";
import { Fault, FaultCode } from "@daos/fault";
import { parseRank } from "@daos/rank";
import { delay } from "@daos/sys";
import { Random } from "@daos/sys/testing";
import type { Member } from "../member.ts";
import type { MemberChange } from "../member-store.ts";
import { openTerm, type TestTerm } from "./open-term.ts";
import { sampleMember, sampleUuid } from "./sample-member.ts";
import { type Fate, unreliableCalls } from "./unreliable-calls.ts";

export interface HistoryOptions {
  readonly client: EtcdClient;
  readonly system: string;
  readonly seed: number;
}

/** The events of a history. */
export interface HistorySummary {
  readonly terms: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly refused: number;
}

type Outcome = "open" | "acknowledged" | "refused" | "lost";

interface Commit {
  readonly number: number;
  readonly changes: readonly MemberChange[];
  outcome: Outcome;
  /** Whether a later leader has loaded it. Every later leader must then load it too. */
  found: boolean | undefined;
}

const TERMS = 6;
const COMMITS = 6;
const SLOTS = 10;
/** Each commit also adds its own member, which shows later leaders whether the commit was made. */
const WITNESS = 1_000;
/** Longer than any load or commit, ms: the store's own deadline is shorter. */
const TIMEOUT_MS = 60_000;

const FATES: readonly [Fate, ...Fate[]] = [
  "done",
  "done",
  "done",
  "done",
  "not-sent",
  "lost",
  "unanswered",
  "late",
];

/**
 * Runs leaders in sequence, each while the commits of the one before are still pending, over a network that loses and
 * delays messages. Each leader compares what it loads with a model.
 *
 * @throws AssertionError when an acknowledged commit is lost, a refused commit was made, a commit was made in part or
 * out of order, a rank is there twice,
 *   or a commit of an earlier term was made after a later leader had loaded
 */
export async function runHistory({ client, system, seed }: HistoryOptions): Promise<HistorySummary> {
  const random = new Random(seed);
  const commits: Commit[] = [];
  const underWay: Promise<void>[] = [];
  const late: Promise<unknown>[] = [];
  for (let term = 0; term < TERMS; term++) {
    const calls = unreliableCalls(
      client,
      () => random.pick(FATES),
      () => random.below(150),
      (transaction) => late.push(transaction),
    );
    const leader = await openTerm(client, system, calls);
    check(await leader.store.load({ signal: AbortSignal.timeout(TIMEOUT_MS) }), commits, seed);
    for (let commit = 0; commit < COMMITS; commit++) {
      const next: Commit = {
        number: commits.length,
        changes: randomChanges(random, commits.length),
        outcome: "open",
        found: undefined,
      };
      commits.push(next);
      underWay.push(settle(leader, next));
      if (random.next() < 0.3) await delay(random.below(60));
    }
    await delay(random.below(250));
  }
  await Promise.all(underWay);
  await Promise.all(late);
  const last = await openTerm(client, system);
  check(await last.store.load({ signal: AbortSignal.timeout(TIMEOUT_MS) }), commits, seed);
  const count = (outcome: Outcome) => commits.filter((commit) => commit.outcome === outcome).length;
  assert.equal(count("open"), 0);
  return {
    terms: TERMS,
    acknowledged: count("acknowledged"),
    lost: count("lost"),
    refused: count("refused"),
  };
}

async function settle(leader: TestTerm, commit: Commit): Promise<void> {
  try {
    await leader.store.commit(commit.changes, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    commit.outcome = "acknowledged";
  } catch (error) {
    assert(error instanceof Fault, String(error));
    assert(
      [FaultCode.leadershipLost, FaultCode.memberConflict].includes(error.code as 804 | 810),
      error.message,
    );
    commit.outcome = error.code === FaultCode.memberConflict ? "refused" : "lost";
  }
  if (commit.outcome === "acknowledged") assert.notEqual(commit.found, false, "acknowledged, but not found");
}

function randomChanges(random: Random, number: number): readonly MemberChange[] {
  const changes: MemberChange[] = [put(sampleMember(WITNESS + number))];
  for (let left = random.below(4); left >= 0; left--) {
    const slot = random.below(SLOTS);
    if (random.next() < 0.3) changes.push({ kind: "remove", uuid: sampleUuid(slot) });
    else changes.push(put(sampleMember(slot, { rank: parseRank(random.below(SLOTS)), reason: `${number}` })));
  }
  return changes;
}

function put(member: Member): MemberChange {
  return { kind: "put", member };
}

/** Compares what a new leader has loaded with the commits before it. */
function check(loaded: readonly Member[], commits: readonly Commit[], seed: number): void {
  const uuids = new Set(loaded.map(({ uuid }) => uuid));
  const model = new Map<string, Member>();
  for (const commit of commits) {
    const about = `seed ${seed}, commit ${commit.number}`;
    const found = uuids.has(sampleUuid(WITNESS + commit.number));
    if (commit.outcome === "acknowledged") assert(found, `${about}: acknowledged, and gone`);
    if (commit.outcome === "refused") assert(!found, `${about}: refused, and made`);
    assert(commit.found === undefined || commit.found === found, `${about}: a later leader found otherwise`);
    commit.found = found;
    if (!found) continue;
    for (const change of commit.changes) {
      if (change.kind === "put") model.set(change.member.uuid, change.member);
      else model.delete(change.uuid);
    }
  }
  assert.equal(new Set(loaded.map(({ rank }) => rank)).size, loaded.length, `seed ${seed}: a rank twice`);
  assert.deepEqual(
    loaded,
    [...model.values()].toSorted((a, b) => a.rank - b.rank),
    `seed ${seed}`,
  );
}
