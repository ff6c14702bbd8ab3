import { LeaderFinder, type ReportMessage } from "@daos/control-client";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { mgmt } from "@daos/proto";
import type { Rank } from "@daos/rank";
import { abortable } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EngineReporter, type ReportedEngine } from "./engine-reporter.ts";

const self = { host: "10.0.0.1", port: 10001 };
const State = mgmt.ReportEnginesReq_State;
const superblock = {
  version: 0,
  uuid: "uuid-0",
  system: "s",
  validRank: true,
  rank: 0 as Rank,
  ms: false,
  createMs: false,
  bootstrapMs: false,
} as const;

function reporting(engine: { -readonly [K in keyof ReportedEngine]: ReportedEngine[K] }) {
  const reports: ReportMessage[] = [];
  let attempts = 0;
  let failure: Fault | undefined;
  const finder = new LeaderFinder({ accessPoints: [self], known: () => undefined });
  const reporter = new EngineReporter({
    self,
    engines: [engine],
    finder,
    send: async (_host, report) => {
      attempts++;
      if (failure !== undefined) throw failure;
      reports.push(report);
      return { accessPoints: ["10.0.0.2:10001"], leader: "10.0.0.2:10001" };
    },
    log: silentLogger,
  });
  const fail = (fault: Fault | undefined) => (failure = fault);
  return { reporter, reports, attempts: () => attempts, finder, fail };
}

/** Changes within this time go into one report, ms. */
const GATHER_MS = 50;
/** The least time between two reports when nothing changes, ms. */
const INTERVAL_MS = 4_000;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("EngineReporter", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("reports at once, at each change, and learns the access points", async () => {
    const engine = {
      superblock,
      incarnation: 2,
      state: { kind: "starting", reason: "SIGSEGV" } as ReportedEngine["state"],
    };
    const { reporter, reports, finder } = reporting(engine);
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    await pass(GATHER_MS);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toEqual({
      addr: "10.0.0.1:10001",
      engines: [{ uuid: "uuid-0", incarnation: 2, state: State.STARTING, reason: "SIGSEGV", number: 1 }],
      intervalMs: 5000,
      warnings: [],
      configured: 1,
    });
    expect(finder.accessPoints).toEqual([{ host: "10.0.0.2", port: 10001 }]);
    expect(finder.leader).toEqual({ host: "10.0.0.2", port: 10001 });
    engine.state = { kind: "stopped" };
    reporter.changed();
    await pass(GATHER_MS);
    expect(reports).toHaveLength(2);
    expect(reports[1]?.engines).toMatchObject([{ state: State.STOPPED }]);
    const ready = { uri: "u", contexts: 1, socket: "/s" };
    engine.state = { kind: "serving", rank: 0 as Rank, ready, unresponsive: "it has not answered for 20 s" };
    reporter.changed();
    await pass(GATHER_MS);
    expect(reports).toHaveLength(3);
    expect(reports[2]?.engines).toMatchObject([
      { state: State.FAILED, reason: "it has not answered for 20 s" },
    ]);
    stop.abort();
    await run;
  });

  it("keeps warnings until a leader has taken them", async () => {
    const { reporter, reports, attempts, fail } = reporting({
      superblock,
      incarnation: 1,
      state: { kind: "stopped" },
    });
    fail(new Fault({ domain: "system", code: FaultCode.notLeader, description: "no", resolution: "none" }));
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    reporter.warn("a disk is hot");
    await pass(GATHER_MS);
    expect([attempts(), reports]).toEqual([1, []]);
    fail(undefined);
    reporter.changed();
    await pass(GATHER_MS);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.warnings).toEqual(["a disk is hot"]);
    reporter.changed();
    await pass(GATHER_MS);
    expect(reports).toHaveLength(2);
    expect(reports[1]?.warnings).toEqual([]);
    stop.abort();
    await run;
  });

  it("loses no warning that comes while a report is under way, nor one of more than a report may have", async () => {
    const got: string[][] = [];
    const finder = new LeaderFinder({ accessPoints: [self], known: () => undefined });
    const reporter = new EngineReporter({
      self,
      engines: [{ superblock, incarnation: 1, state: { kind: "stopped" } }],
      finder,
      send: async (_host, { warnings }) => {
        if (got.push([...warnings]) === 1) {
          reporter.warn("a disk is hot");
          for (let disk = 0; disk < 40; disk++) reporter.warn(`disk ${disk}`);
        }
        return { accessPoints: [], leader: "" };
      },
      log: silentLogger,
    });
    reporter.warn("a disk is hot");
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    for (let reports = 0; reports < 4; reports++) await pass(GATHER_MS);
    stop.abort();
    await run;
    const disks = Array.from({ length: 40 }, (_, disk) => `disk ${disk}`);
    expect(got.map(({ length }) => length)).toEqual([1, 32, 9]);
    expect(got.flat()).toEqual(["a disk is hot", "a disk is hot", ...disks]);
  });

  it("finds the leader past access points that are frozen, and does not begin with them again", async () => {
    const accessPoints = ["a", "b", "c", "d"].map((host) => ({ host, port: 10001 }));
    const finder = new LeaderFinder({ accessPoints, known: () => undefined });
    const names = accessPoints.map((one) => formatHostAddress(one));
    finder.learn({ accessPoints: names, leader: "a:10001" });
    const asked: string[] = [];
    const reporter = new EngineReporter({
      self,
      engines: [{ superblock, incarnation: 1, state: { kind: "stopped" } }],
      finder,
      send: ({ host }, _report, { signal }) => {
        asked.push(host);
        if (host !== "d") return abortable(new Promise<never>(() => {}), signal);
        return Promise.resolve({ accessPoints: names, leader: "d:10001" });
      },
      log: silentLogger,
    });
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    while (asked.length < 6) await pass(INTERVAL_MS);
    stop.abort();
    await run;
    expect(asked.slice(0, 6)).toEqual(["a", "b", "c", "d", "d", "d"]);
  });

  it("goingDown() reports every engine as stopped, also one that has failed", async () => {
    const engine = {
      superblock,
      incarnation: 3,
      state: { kind: "failed", fault: new Error("gone") } as unknown as ReportedEngine["state"],
    };
    const { reporter, reports } = reporting(engine);
    await reporter.goingDown();
    expect(reports.map(({ engines }) => engines)).toEqual([
      [{ uuid: "uuid-0", incarnation: 3, state: State.STOPPED, reason: "host is going down", number: 1 }],
    ]);
  });

  it("goingDown() waits no longer than two seconds for a leader that does not answer", async () => {
    const reporter = new EngineReporter({
      self,
      engines: [{ superblock, incarnation: 1, state: { kind: "starting", reason: "" } }],
      finder: new LeaderFinder({ accessPoints: [self], known: () => undefined }),
      send: (_host, _report, { signal }) => abortable(new Promise<never>(() => {}), signal),
      log: silentLogger,
    });
    let ended = false;
    const down = reporter.goingDown().then(() => {
      ended = true;
    });
    await pass(1_900);
    expect(ended).toBe(false);
    await pass(200);
    await down;
  });

  it("reports no engine until its storage has been opened, then that it has no identity", async () => {
    const engine: { -readonly [K in keyof ReportedEngine]: ReportedEngine[K] } = {
      superblock: undefined,
      incarnation: 0,
      state: { kind: "new" },
    };
    const { reporter, reports } = reporting(engine);
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    await pass(60_000);
    expect(reports).toEqual([]);
    engine.state = { kind: "awaiting format", reason: "SCM is not formatted" };
    reporter.changed();
    await pass(GATHER_MS);
    expect(reports).toMatchObject([
      {
        engines: [{ uuid: "", number: 1, state: State.FAILED, reason: "SCM is not formatted" }],
        configured: 1,
      },
    ]);
    stop.abort();
    await run;
  });
});
