// npm run bench -w @daos/member-store: commits of both stores, in one run, to compare them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtcdCluster } from "@daos/etcd/testing";
import type { MemberStore } from "../member-store.ts";
import { SqliteMemberStore } from "../sqlite-member-store.ts";
import { openTerm } from "./open-term.ts";
import { sampleMember } from "./sample-member.ts";

const BATCHES = [1, 16, 128, 2_048];
const RUN_MS = 3_000;
const MIN_COMMITS = 20;
const SYSTEM_SIZE = 2_048;

interface Result {
  readonly commitsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function measure(store: MemberStore, batch: number): Promise<Result> {
  const signal = AbortSignal.timeout(120_000);
  const times: number[] = [];
  const start = performance.now();
  let next = 0;
  for (let round = 0; round < MIN_COMMITS || performance.now() - start < RUN_MS; round++) {
    const changes = Array.from({ length: batch }, () => ({
      kind: "put" as const,
      member: sampleMember(next++ % SYSTEM_SIZE, { incarnation: round }),
    }));
    const before = performance.now();
    await store.commit(changes, { signal });
    times.push(performance.now() - before);
  }
  const total = times.reduce((sum, time) => sum + time, 0);
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { commitsPerSecond: (1000 * times.length) / total, p50: at(0.5), p99: at(0.99) };
}

const directory = mkdtempSync(join(tmpdir(), "daos-bench-"));
await using one = await EtcdCluster.start();
await using three = await EtcdCluster.start({ members: 3 });
using clientOfOne = one.client();
using clientOfThree = three.client();
const stores: readonly (readonly [string, MemberStore])[] = [
  ["sqlite", new SqliteMemberStore(join(directory, "members.db"))],
  ["etcd, 1 member", (await openTerm(clientOfOne, "bench")).store],
  ["etcd, 3 members", (await openTerm(clientOfThree, "bench")).store],
];
const row = (...cells: readonly string[]) =>
  process.stdout.write(
    `${cells.map((cell, index) => (index === 0 ? cell.padEnd(16) : cell.padStart(11))).join("")}\n`,
  );
row("store", "batch", "commits/s", "members/s", "p50 ms", "p99 ms", "to sqlite");
for (const batch of BATCHES) {
  let first: number | undefined;
  for (const [name, store] of stores) {
    const { commitsPerSecond, p50, p99 } = await measure(store, batch);
    first ??= commitsPerSecond;
    row(
      name,
      String(batch),
      commitsPerSecond.toFixed(0),
      (commitsPerSecond * batch).toFixed(0),
      p50.toFixed(2),
      p99.toFixed(2),
      (commitsPerSecond / first).toFixed(2),
    );
  }
}
for (const [name, store] of stores) {
  const before = performance.now();
  const members = await store.load({ signal: AbortSignal.timeout(30_000) });
  row(
    `load, ${name}`.slice(0, 16).padEnd(16),
    String(members.length),
    "",
    "",
    (performance.now() - before).toFixed(1),
  );
  await store.close();
}
rmSync(directory, { recursive: true });
