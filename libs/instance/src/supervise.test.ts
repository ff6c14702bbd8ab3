import { Fault, FaultCode } from "@daos/fault";
import { type Clock, systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { STABLE_MS } from "./plan-restart.ts";
import { supervise } from "./supervise.ts";

const died = (why: string) =>
  new Fault({ domain: "engine", code: FaultCode.engineExited, description: why, resolution: "none" });

/** An engine whose processes live as long as given, one after the other. */
function engine(lives: readonly { readonly ms: number; readonly serves: boolean }[]) {
  let now = 0;
  let runs = 0;
  let asked = false;
  const waits: number[] = [];
  const clock: Clock = {
    ...systemClock,
    now: () => now,
    random: () => 0.5,
  };
  const ports = {
    clock,
    runOnce: async () => {
      const life = lives[runs++];
      if (life === undefined) throw new Error("started too often");
      now += life.ms;
      return { reachedService: life.serves, fault: died(`death ${runs}`) };
    },
    stopAsked: () => asked,
    restartAfter: async (ms: number) => {
      now += ms;
      waits.push(ms);
    },
  };
  return { ports, waits, runs: () => runs, ask: () => (asked = true) };
}

const { signal } = new AbortController();
const short = { ms: 100, serves: true };

describe("supervise()", () => {
  it("gives up on an engine that never served", async () => {
    const { ports, runs } = engine([{ ms: 100, serves: false }]);
    expect(await supervise(ports, { hasServed: false, signal })).toMatchObject({
      kind: "failed",
      reason: "it has never served",
      fault: { description: "death 1" },
    });
    expect(runs()).toBe(1);
  });

  it("waits longer each time, and gives up on a crash loop", async () => {
    const { ports, waits } = engine(Array(6).fill(short));
    expect(await supervise(ports, { hasServed: false, signal })).toMatchObject({ kind: "failed" });
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000]);
  });

  it("starts its count anew after a long life", async () => {
    const long = { ms: STABLE_MS + 1, serves: true };
    const { ports, waits } = engine([short, short, long, ...Array(5).fill(short)]);
    await supervise(ports, { hasServed: false, signal });
    expect(waits.slice(0, 4)).toEqual([1000, 2000, 1000, 2000]);
  });

  it("ends without a failure when the engine was asked to stop, also while it waits", async () => {
    const stopped = engine([short]);
    stopped.ask();
    expect(await supervise(stopped.ports, { hasServed: true, signal })).toEqual({ kind: "stopped" });
    const waiting = engine([short]);
    const ports = { ...waiting.ports, restartAfter: async () => void waiting.ask() };
    expect(await supervise(ports, { hasServed: true, signal })).toEqual({ kind: "stopped" });
    expect(waiting.runs()).toBe(1);
  });

  it("ends with its signal", async () => {
    const { ports } = engine([short]);
    const abort = AbortSignal.abort(new Error("the server ends"));
    await expect(supervise(ports, { hasServed: true, signal: abort })).rejects.toThrow("the server ends");
  });
});
