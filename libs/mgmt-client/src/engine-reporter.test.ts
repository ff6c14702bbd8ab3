import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { silentLogger } from "@daos/log";
import { mgmt } from "@daos/proto";
import type { Rank } from "@daos/rank";
import { abortable, type Clock, systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { EngineReporter, type ReportedEngine } from "./engine-reporter.ts";
import { LeaderFinder } from "./leader-finder.ts";
import type { ReportMessage } from "./mgmt-client.ts";

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
  let failure: Fault | undefined;
  const finder = new LeaderFinder({ accessPoints: [self], known: () => undefined });
  const reporter = new EngineReporter({
    self,
    engines: [engine],
    finder,
    send: async (_host, report) => {
      if (failure !== undefined) throw failure;
      reports.push(report);
      return { accessPoints: ["10.0.0.2:10001"], leader: "10.0.0.2:10001" };
    },
    log: silentLogger,
  });
  return { reporter, reports, finder, fail: (fault: Fault | undefined) => (failure = fault) };
}

describe("EngineReporter", () => {
  it("reports at once, at each change, and learns the access points", async () => {
    const engine = {
      superblock,
      incarnation: 2,
      state: { kind: "starting", reason: "SIGSEGV" } as ReportedEngine["state"],
    };
    const { reporter, reports, finder } = reporting(engine);
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]).toEqual({
      addr: "10.0.0.1:10001",
      engines: [{ uuid: "uuid-0", incarnation: 2, state: State.STARTING, reason: "SIGSEGV" }],
      intervalMs: 5000,
      warnings: [],
    });
    expect(finder.accessPoints).toEqual([{ host: "10.0.0.2", port: 10001 }]);
    expect(finder.leader).toEqual({ host: "10.0.0.2", port: 10001 });
    engine.state = { kind: "stopped" };
    reporter.changed();
    await expect.poll(() => reports.length).toBe(2);
    expect(reports[1]?.engines).toMatchObject([{ state: State.STOPPED }]);
    const ready = { uri: "u", contexts: 1, socket: "/s" };
    engine.state = { kind: "serving", rank: 0 as Rank, ready, silence: "it has not answered for 20 s" };
    reporter.changed();
    await expect.poll(() => reports.length).toBe(3);
    expect(reports[2]?.engines).toMatchObject([
      { state: State.FAILED, reason: "it has not answered for 20 s" },
    ]);
    stop.abort();
    await run;
  });

  it("keeps warnings until a leader has heard them", async () => {
    const { reporter, reports, fail } = reporting({ superblock, incarnation: 1, state: { kind: "stopped" } });
    fail(new Fault({ domain: "system", code: FaultCode.notLeader, description: "no", resolution: "none" }));
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    reporter.warn("a disk is hot");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(reports).toEqual([]);
    fail(undefined);
    reporter.changed();
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]?.warnings).toEqual(["a disk is hot"]);
    reporter.changed();
    await expect.poll(() => reports.length).toBe(2);
    expect(reports[1]?.warnings).toEqual([]);
    stop.abort();
    await run;
  });

  it("finds the leader past access points that are frozen, and does not begin with them again", async () => {
    const clock: Clock = {
      ...systemClock,
      delay: (ms, options) => systemClock.delay(ms / 100, options),
      deadline: (ms, ...rest) => systemClock.deadline(ms / 100, ...rest),
    };
    const accessPoints = ["a", "b", "c", "d"].map((host) => ({ host, port: 10001 }));
    const finder = new LeaderFinder({ accessPoints, known: () => undefined, clock });
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
      clock,
    });
    const stop = new AbortController();
    const run = reporter.run(stop.signal);
    await expect.poll(() => asked.length).toBeGreaterThan(5);
    stop.abort();
    await run;
    expect(asked.slice(0, 6)).toEqual(["a", "b", "c", "d", "d", "d"]);
  });

  it("has nothing to say of engines without an identity", async () => {
    const { reporter, reports } = reporting({
      superblock: undefined,
      incarnation: 0,
      state: { kind: "awaiting format", reason: "new" },
    });
    await reporter.run(AbortSignal.timeout(150));
    expect(reports).toEqual([]);
  });
});
