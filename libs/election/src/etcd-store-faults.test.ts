import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytes, type EtcdClient, prefixEnd } from "@daos/etcd";
import { EtcdCluster } from "@daos/etcd/testing";
import { type Fault, FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { checkEtcdIdentity, etcdKeys, MarkerFile } from "@daos/member-store";
import { sampleMember } from "@daos/member-store/testing";
import { delay } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LeaderView, Term } from "./election.ts";
import { EtcdElection } from "./etcd-election.ts";

const POLL = { timeout: 60_000, interval: 50 };
const LEASE_MS = 3_000;
const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const put = (number: number) => ({ kind: "put", member: sampleMember(number) }) as const;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daos-store-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** An access point that takes part in the election until it is disposed of. */
class Candidate implements AsyncDisposable {
  readonly election: EtcdElection;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  view: LeaderView = { kind: "following", leader: undefined };

  constructor(client: EtcdClient, host: string) {
    this.election = new EtcdElection({
      client,
      system: "faults",
      address: { host, port: 10001 },
      hasReplica: () => false,
      marker: new MarkerFile(join(directory, `${host}.marker`)),
      log: silentLogger,
    });
    this.#running = this.election.run((view) => {
      this.view = view;
    }, this.#stop);
  }

  get term(): Term | undefined {
    return this.view.kind === "leading" && this.view.term.holds() ? this.view.term : undefined;
  }

  async leads(): Promise<Term> {
    await expect.poll(() => this.term, POLL).toBeDefined();
    return this.term as Term;
  }

  async outage(code: number): Promise<Fault> {
    await expect.poll(() => this.election.outage?.code, POLL).toBe(code);
    return this.election.outage as Fault;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the test ends"));
    await this.#running;
  }
}

const replaced = (reason: string) => ({
  code: FaultCode.memberStoreReplaced,
  message: expect.stringContaining("etcd under /daos/faults/members/") as string,
  reason: expect.stringContaining(reason) as string,
  resolution: expect.stringContaining("daos-server members restore") as string,
});

describe("EtcdElection, while etcd has its alarm NOSPACE", () => {
  it("keeps its leader, says what is wrong, and records changes again when the alarm is cleared", {
    timeout: 200_000,
  }, async () => {
    await using cluster = await EtcdCluster.start({ quotaBytes: 300_000 });
    using client = cluster.client();
    await using first = new Candidate(client, "node1");
    const term = await first.leads();
    await term.store.load(wait());
    await term.store.commit([put(1)], wait());
    await using second = new Candidate(client, "node2");
    await expect.poll(() => second.view.kind === "following" && second.view.leader?.host, POLL).toBe("node1");
    await cluster.fill();
    const until = performance.now() + 3 * LEASE_MS;
    for (let looks = 0; performance.now() < until || looks < 10; looks++) {
      expect(first.term?.number).toBe(term.number);
      expect(second.term).toBeUndefined();
      await delay(100);
    }
    expect(await first.outage(FaultCode.electionUnreachable)).toMatchObject({
      reason: expect.stringContaining("alarm NOSPACE") as string,
      resolution: expect.stringContaining("etcdctl alarm disarm") as string,
    });
    await expect(term.store.commit([put(2)], wait())).rejects.toMatchObject({
      code: FaultCode.memberStoreUnusable,
      reason: expect.stringContaining("alarm NOSPACE") as string,
      resolution: expect.stringMatching(/etcdctl compact.*alarm disarm/) as string,
    });
    expect(await term.store.load(wait())).toEqual([sampleMember(1)]);
    expect(await second.election.readMembers(wait()), "on an access point that follows").toEqual([
      sampleMember(1),
    ]);

    await cluster.clearAlarm();
    await term.store.commit([put(2)], wait());
    await expect.poll(() => first.election.outage, POLL).toBeUndefined();
    await delay(2 * LEASE_MS);
    expect(first.term?.number).toBe(term.number);
    expect(second.term).toBeUndefined();
  });
});

describe("EtcdElection, with an etcd that is not as before", () => {
  it("does not lead with an etcd that came back empty, until that is accepted, and then on every host", {
    timeout: 200_000,
  }, async () => {
    {
      await using before = await EtcdCluster.start();
      using client = before.client();
      await using first = new Candidate(client, "node1");
      await using second = new Candidate(client, "node2");
      const term = await Promise.race([first.leads(), second.leads()]);
      await term.store.commit([put(1)], wait());
      await expect
        .poll(() => [first, second].every(({ election }) => election.accessPoints.length === 2), POLL)
        .toBe(true);
    }
    await using cluster = await EtcdCluster.start();
    using client = cluster.client();
    await using first = new Candidate(client, "node1");
    await using second = new Candidate(client, "node2");
    for (const candidate of [first, second]) {
      expect(await candidate.outage(FaultCode.memberStoreReplaced)).toMatchObject(replaced("it is empty"));
      expect(candidate.term).toBeUndefined();
      await expect(candidate.election.readMembers(wait())).rejects.toMatchObject(replaced("it is empty"));
    }
    const marker = new MarkerFile(join(directory, "node1.marker"));
    await checkEtcdIdentity(client, { keys: etcdKeys("faults"), marker, accept: true, ...wait() });
    await Promise.race([first.leads(), second.leads()]);
    await expect.poll(() => first.election.outage ?? second.election.outage, POLL).toBeUndefined();
  });

  it("ends its term when the keys of the system are deleted, and does not begin a new one", {
    timeout: 200_000,
  }, async () => {
    await using cluster = await EtcdCluster.start();
    using client = cluster.client();
    await using candidate = new Candidate(client, "node1");
    const term = await candidate.leads();
    await client.deleteRange({ key: bytes("/daos/faults/"), rangeEnd: prefixEnd("/daos/faults/") }, wait());
    expect(await candidate.outage(FaultCode.memberStoreReplaced)).toMatchObject(replaced("it is empty"));
    expect(term.holds()).toBe(false);
    expect(candidate.term).toBeUndefined();
  });

  it("does not lead with an etcd that was restored from an older copy", { timeout: 200_000 }, async () => {
    await using cluster = await EtcdCluster.start();
    const [member] = cluster.members;
    if (member === undefined) throw new Error("a cluster has a member");
    const copy = join(directory, "copy");
    using client = cluster.client();
    {
      await using candidate = new Candidate(client, "node1");
      await (await candidate.leads()).store.commit([put(1)], wait());
    }
    await member.kill();
    cpSync(member.dataDirectory, copy, { recursive: true });
    member.restart();
    await cluster.ready();
    {
      await using candidate = new Candidate(client, "node1");
      const term = await candidate.leads();
      await term.store.load(wait());
      await term.store.commit([put(2)], wait());
    }
    {
      // Its begin notes how far etcd has come.
      await using candidate = new Candidate(client, "node1");
      await candidate.leads();
    }
    await member.kill();
    rmSync(member.dataDirectory, { recursive: true });
    cpSync(copy, member.dataDirectory, { recursive: true });
    member.restart();
    await cluster.ready();
    await using candidate = new Candidate(client, "node1");
    expect(await candidate.outage(FaultCode.memberStoreReplaced)).toMatchObject(replaced("it has gone back"));
  });
});
