import { Fault, FaultCode } from "@daos/fault";
import type { EngineInstance, InstanceState } from "@daos/instance";
import { silentLogger } from "@daos/log";
import type { Rank } from "@daos/rank";
import { describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

const gone = new Fault({
  domain: "engine",
  code: FaultCode.engineExited,
  description: "gone",
  resolution: "none",
});

const excluded = new Fault({
  domain: "system",
  code: FaultCode.memberExcluded,
  description: "excluded",
  resolution: "none",
});

/** An instance as the harness sees it; anything else that is asked of it throws. */
function fakeInstance(
  index: number,
  state: InstanceState,
  parts: Partial<EngineInstance> = {},
): EngineInstance {
  const runsReplica = state.kind === "serving" && parts.superblock?.ms === true;
  const known: Partial<EngineInstance> = { index, state, runsReplica, ...parts };
  return new Proxy(known, {
    get(target, name) {
      // A promise looks for "then".
      if (name in target || name === "then") return target[name as keyof EngineInstance];
      throw new Error(`an unexpected look at ${String(name)}`);
    },
  }) as EngineInstance;
}

const serving = (rank: number): InstanceState => ({
  kind: "serving",
  rank: rank as Rank,
  ready: { uri: "u", contexts: 1, socket: "/s" },
});
const superblock = (ms: boolean, rank?: number) => ({
  version: 0 as const,
  uuid: `uuid-${rank}`,
  system: "s",
  rank: rank as Rank | undefined,
  validRank: rank !== undefined,
  ms,
  createMs: false,
  bootstrapMs: false,
});

describe("Harness", () => {
  it("finds engines by rank and identity, and the one with the management service", async () => {
    const first = fakeInstance(0, { kind: "stopped" }, { superblock: superblock(false, 4) });
    const second = fakeInstance(1, serving(0), { superblock: superblock(true, 0) });
    const waiting = fakeInstance(
      2,
      { kind: "awaiting format", reason: "new" },
      { superblock: undefined, opened: () => Promise.resolve(true) },
    );
    const unjoined = fakeInstance(3, { kind: "starting", reason: "" }, { superblock: superblock(false) });
    const harness = new Harness([waiting, unjoined, first, second], silentLogger);
    expect(harness.byRank(4)).toBe(first);
    const wait = { signal: AbortSignal.timeout(60_000) };
    expect(await harness.findRank(4, wait)).toBe(first);
    expect(await harness.findIdentity(4, "uuid-4", wait)).toBe(first);
    expect(harness.msInstance()).toBe(second);
    expect(harness.hasMsInstance).toBe(true);
    await expect(harness.findRank(7, wait)).rejects.toThrow("rank 7 is not on this host, which has rank 0,4");
    const other = "its engine with that rank has another identity";
    await expect(harness.findIdentity(4, "uuid-9", wait)).rejects.toThrow(other);
  });

  it.each([
    ["a rank that storage has", 4],
    ["another rank", 5],
  ])("findRank() waits for storage that is being opened: %s", async (_, rank) => {
    const opening = fakeInstance(
      0,
      { kind: "new" },
      {
        superblock: undefined,
        async opened() {
          await new Promise((resolve) => setTimeout(resolve, 5));
          Object.assign(opening, { superblock: superblock(false, 4) });
          return true;
        },
      },
    );
    const never = fakeInstance(
      1,
      { kind: "new" },
      { superblock: undefined, opened: () => new Promise(() => {}) },
    );
    const found = new Harness(rank === 4 ? [never, opening] : [opening], silentLogger).findRank(rank, {
      signal: AbortSignal.timeout(60_000),
    });
    if (rank === 4) expect(await found).toBe(opening);
    else await expect(found).rejects.toThrow("rank 5 is not on this host, which has rank 4");
  });

  it("findRank() does not say that a rank is not here while storage is still being opened", async () => {
    const hanging = fakeInstance(
      1,
      { kind: "new" },
      { superblock: undefined, opened: () => Promise.resolve(false) },
    );
    const { signal } = new AbortController();
    await expect(new Harness([hanging], silentLogger).findRank(4, { signal })).rejects.toMatchObject({
      code: FaultCode.engineNotReady,
      description: expect.stringContaining("the storage of engine 1 is still being opened"),
    });
  });

  it("throws a fault when there is no such engine", () => {
    const stopped = fakeInstance(0, { kind: "stopped" }, { superblock: superblock(true) });
    const harness = new Harness([stopped], silentLogger);
    expect(() => harness.byRank(0)).toThrow("no engine with a rank");
    expect(() => harness.msInstance()).toThrow("no engine of this host has a replica");
    expect(harness.hasMsInstance).toBe(false);
    return expect(harness.notifyReady(3, { uri: "u", contexts: 1, socket: "/s" })).rejects.toThrow(
      "an engine says it is number 3, but this host has 1",
    );
  });

  it.each([
    ["all have failed", [false, false], true],
    ["one has failed", [false], false],
    ["all have failed, but one has been in service", [false, true], false],
    ["all are excluded, perhaps by this very host", [false, false], false, excluded],
  ] as const)("ends when %s: %j, %j", async (_, served, ends, fault = gone) => {
    const control = new AbortController();
    let end = () => {};
    const running = new Promise<void>((resolve) => {
      end = resolve;
    });
    const instances = [0, 1].map((index) =>
      fakeInstance(index, { kind: "new" }, { run: () => running, hasServed: served[index] ?? false }),
    );
    const harness = new Harness(instances, silentLogger);
    const run = harness.run(control.signal);
    served.forEach((_served, index) => {
      const instance = instances[index] as EngineInstance;
      Object.defineProperty(instance, "state", { value: { kind: "failed", fault } });
      harness.changed(instance);
    });
    if (ends) return expect(run).rejects.toBe(gone);
    end();
    control.abort();
    await expect(run).resolves.toBeUndefined();
  });
});
