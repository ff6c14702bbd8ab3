import { bytes, type EtcdClient, prefixEnd, text } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyChecksum } from "./document-checksum.ts";
import { encodeMember } from "./encode-member.ts";
import { etcdKeys } from "./etcd-keys.ts";
import type { Member } from "./member.ts";
import type { MemberChange } from "./member-store.ts";
import { runHistory } from "./testing/member-history.ts";
import { openTerm } from "./testing/open-term.ts";
import { sampleMember } from "./testing/sample-member.ts";
import { type Fate, unreliableCalls } from "./testing/unreliable-calls.ts";

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
const newSystem = () => `etcd${systems++}`;
const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const put = (member: Member): MemberChange => ({ kind: "put", member });
const lost = { code: FaultCode.leadershipLost };

/** The members that the leader of a new term loads. */
async function loadAnew(system: string): Promise<readonly Member[]> {
  return (await openTerm(client, system)).store.load(wait());
}

describe("EtcdMemberStore, fenced", () => {
  it("EtcdMemberStore.commit() changes nothing after another term has begun", async () => {
    const system = newSystem();
    const old = await openTerm(client, system);
    await old.store.commit([put(sampleMember(1))], wait());
    const next = await openTerm(client, system);
    await expect(old.store.commit([put(sampleMember(2))], wait())).rejects.toMatchObject(lost);
    expect(old.signal.aborted).toBe(true);
    expect(await next.store.load(wait())).toEqual([sampleMember(1)]);
  });

  it("EtcdMemberStore.commitEvents() changes nothing after another term has begun, and goes on while a commit waits", async () => {
    const system = newSystem();
    const event = { time: 1, kind: "engine_died", severity: "error", message: "one" } as const;
    const old = await openTerm(client, system);
    const both = [
      old.store.commit([put(sampleMember(1))], wait()),
      old.store.commitEvents({ events: [{ ...event, number: 1 }], from: 1 }, wait()),
    ];
    await Promise.all(both);
    const next = await openTerm(client, system);
    await expect(
      old.store.commitEvents({ events: [{ ...event, number: 2 }], from: 2 }, wait()),
    ).rejects.toMatchObject(lost);
    expect(await next.store.loadEvents(wait())).toEqual([{ ...event, number: 1 }]);
    expect(await next.store.load(wait())).toEqual([sampleMember(1)]);
  });

  it("EtcdMemberStore.commit() sends nothing when the lease may have expired by its own clock", async () => {
    const system = newSystem();
    const term = await openTerm(client, system);
    await term.store.load(wait());
    let holds = true;
    Object.assign(term, { holds: () => holds });
    await term.store.commit([put(sampleMember(1))], wait());
    holds = false;
    await expect(term.store.commit([put(sampleMember(2))], wait())).rejects.toMatchObject(lost);
    expect(await loadAnew(system)).toEqual([sampleMember(1)]);
  });

  it("EtcdMemberStore.commit() ends the term when another writer has used it", async () => {
    const system = newSystem();
    const term = await openTerm(client, system);
    await term.store.commit([put(sampleMember(1))], wait());
    await client.put({ key: bytes(`/daos/${system}/last-commit`), value: bytes("0/0") }, wait());
    await expect(term.store.commit([put(sampleMember(2))], wait())).rejects.toMatchObject(lost);
    expect(term.givenUp).toBeInstanceOf(Error);
  });
});

describe("EtcdMemberStore, with an unknown outcome", () => {
  /** A term whose transactions have these outcomes; later transactions succeed. */
  async function doubtful(fates: Fate[]) {
    const system = newSystem();
    const late: Promise<unknown>[] = [];
    const calls = unreliableCalls(
      client,
      () => fates.shift() ?? "done",
      () => 100,
      (transaction) => late.push(transaction),
    );
    return { system, late, ...(await openTerm(client, system, calls)) };
  }

  it.each<{ readonly fates: Fate[] }>([
    { fates: ["unanswered"] },
    { fates: ["lost", "lost"] },
    { fates: ["not-sent", "lost", "unanswered", "lost"] },
    { fates: ["late", "late"] },
  ])("EtcdMemberStore.commit() determines the outcome of a commit: $fates", async ({ fates }) => {
    const { store, system, late } = await doubtful(fates);
    await store.commit([put(sampleMember(1))], wait());
    await store.commit([put(sampleMember(1, { incarnation: 2 }))], wait());
    await Promise.all(late);
    expect(await loadAnew(system)).toEqual([sampleMember(1, { incarnation: 2 })]);
  });

  it("EtcdMemberStore.commit() changes nothing when etcd refuses, and works again afterwards", async () => {
    const { store, system } = await doubtful(["done", "refused"]);
    await store.commit([put(sampleMember(1))], wait());
    const refused = store.commit([put(sampleMember(2)), put(sampleMember(3))], wait());
    await expect(refused).rejects.toMatchObject({ code: FaultCode.memberStoreUnusable });
    await store.commit([put(sampleMember(2))], wait());
    expect(await loadAnew(system)).toEqual([sampleMember(1), sampleMember(2)]);
  });
});

describe("EtcdMemberStore, with a commit larger than a request", () => {
  const before = Array.from({ length: 4_000 }, (_, index) => sampleMember(index));
  const after = before.map((member) => ({ ...member, incarnation: 2 }));

  it("EtcdMemberStore makes it completely or not at all wherever its leader dies", {
    timeout: 180_000,
  }, async () => {
    const outcomes: string[] = [];
    for (let steps = 0; outcomes.at(-1) !== "acknowledged"; steps++) {
      const system = newSystem();
      const first = await openTerm(client, system);
      await first.store.commit(before.map(put), wait());
      let left = steps;
      const calls = unreliableCalls(
        client,
        () => {
          if (left-- > 0) return "done";
          dying.end();
          return "lost";
        },
        () => 0,
      );
      const dying = await openTerm(client, system, calls);
      const done = await dying.store.commit(after.map(put), wait()).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject(lost);
          return false;
        },
      );
      const members = await loadAnew(system);
      const state = members[0]?.incarnation === 2 ? after : before;
      expect(members).toEqual(state);
      outcomes.push(done ? "acknowledged" : state === after ? "carried out by the next" : "not begun");
      if (done) expect(state).toBe(after);
      const rest = await client.range(
        { key: bytes(`/daos/${system}/plan/`), rangeEnd: prefixEnd(`/daos/${system}/plan/`), keysOnly: true },
        wait(),
      );
      // Parts of a plan that never became ready stay until the next plan replaces them.
      if (state === after) expect(rest.kvs).toEqual([]);
    }
    const parts = 2;
    expect(outcomes).toEqual([
      ...Array(parts + 1).fill("not begun"),
      ...Array(parts + 1).fill("carried out by the next"),
      "acknowledged",
    ]);
  });
});

describe("EtcdMemberStore, checksums", () => {
  it("EtcdMemberStore.load() gives the documents of an earlier release their checksums", async () => {
    const system = newSystem();
    const key = bytes(`${etcdKeys(system).members}${sampleMember(1).uuid}`);
    await client.put({ key, value: bytes(encodeMember(sampleMember(1))) }, wait());
    expect(await loadAnew(system)).toEqual([sampleMember(1)]);
    const [kv] = (await client.range({ key }, wait())).kvs;
    expect(verifyChecksum(text(kv?.value ?? bytes("")))).toBe(true);
    expect(await loadAnew(system)).toEqual([sampleMember(1)]);
  });

  it("EtcdMemberStore.load() sets a document aside that has changed since it was written", async () => {
    const system = newSystem();
    const { store } = await openTerm(client, system);
    await store.commit([put(sampleMember(1, { state: "excluded" })), put(sampleMember(2))], wait());
    const key = bytes(`${etcdKeys(system).members}${sampleMember(1).uuid}`);
    const [kv] = (await client.range({ key }, wait())).kvs;
    const damaged = text(kv?.value ?? bytes("")).replace('"excluded"', '"stopped"');
    await client.put({ key, value: bytes(damaged) }, wait());
    const unreadable: unknown[] = [];
    const next = await openTerm(client, system);
    const members = await next.store.load({ ...wait(), onUnreadable: (one) => unreadable.push(one) });
    expect(members).toEqual([sampleMember(2)]);
    expect(unreadable).toMatchObject([{ reason: expect.stringContaining("checksum") as string }]);
  });
});

describe("EtcdMemberStore, histories", () => {
  const first = Number(process.env.DAOS_TEST_SEED ?? 20_191_217);
  const count = Number(process.env.DAOS_TEST_HISTORIES ?? 30);
  const TOGETHER = 10;

  it(`EtcdMemberStore loses no acknowledged change in ${count} random histories`, {
    timeout: 5_000 * count,
  }, async () => {
    const totals = { acknowledged: 0, lost: 0, refused: 0, terms: 0 };
    for (let start = 0; start < count; start += TOGETHER) {
      const seeds = Array.from(
        { length: Math.min(TOGETHER, count - start) },
        (_, index) => first + start + index,
      );
      const summaries = await Promise.all(
        seeds.map((seed) => runHistory({ client, system: newSystem(), seed })),
      );
      for (const summary of summaries) {
        for (const key of ["acknowledged", "lost", "refused", "terms"] as const) totals[key] += summary[key];
      }
    }
    // The histories must reach the cases that they test.
    for (const [what, total] of Object.entries(totals)) expect(total, what).toBeGreaterThan(count);
  });
});
