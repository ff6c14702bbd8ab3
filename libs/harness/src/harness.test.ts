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

/** An instance as the harness sees it; anything else that is asked of it throws. */
function fakeInstance(
  index: number,
  state: InstanceState,
  parts: Partial<EngineInstance> = {},
): EngineInstance {
  const known: Partial<EngineInstance> = { index, state, ...parts };
  return new Proxy(known, {
    get(target, name) {
      if (name in target) return target[name as keyof EngineInstance];
      throw new Error(`an unexpected look at ${String(name)}`);
    },
  }) as EngineInstance;
}

const serving = (rank: number): InstanceState => ({
  kind: "serving",
  rank: rank as Rank,
  ready: { uri: "u", contexts: 1, socket: "/s" },
});
const superblock = (ms: boolean) => ({
  version: 0 as const,
  uuid: "u",
  system: "s",
  validRank: true,
  ms,
  createMs: false,
  bootstrapMs: false,
});

describe("Harness", () => {
  it("finds engines by rank, and the one with the management service", () => {
    const first = fakeInstance(0, serving(4), { superblock: superblock(false) });
    const second = fakeInstance(1, serving(0), { superblock: superblock(true) });
    const waiting = fakeInstance(2, { kind: "awaiting format", reason: "new" }, { superblock: undefined });
    const harness = new Harness([waiting, first, second], silentLogger);
    expect(harness.byRank(4)).toBe(first);
    expect(harness.msInstance()).toBe(second);
    expect(() => harness.byRank(7)).toThrow("rank 7 is not on this host, which has rank 0,4");
  });

  it("says so when there is none", () => {
    const harness = new Harness([fakeInstance(0, { kind: "starting" })], silentLogger);
    expect(() => harness.byRank(0)).toThrow("no engine in service");
    expect(() => harness.msInstance()).toThrow("no engine of this host has a replica");
    return expect(harness.notifyReady(3, { uri: "u", contexts: 1, socket: "/s" })).rejects.toThrow(
      "an engine says it is number 3, but this host has 1",
    );
  });

  it("goes on with the engines that are left, and fails with the last", async () => {
    const fails = fakeInstance(0, { kind: "new" }, { run: () => Promise.reject(gone) });
    const ends = fakeInstance(1, { kind: "new" }, { run: () => Promise.resolve() });
    const { signal } = new AbortController();
    await expect(new Harness([fails, ends], silentLogger).run(signal)).resolves.toBeUndefined();
    await expect(new Harness([fails, fails], silentLogger).run(signal)).rejects.toBe(gone);
  });
});
