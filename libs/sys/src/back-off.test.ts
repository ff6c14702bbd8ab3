import { describe, expect, it } from "vitest";
import { BackOff, backOffMs } from "./back-off.ts";
import { systemClock } from "./clock.ts";

describe("backOffMs()", () => {
  const limits = { firstMs: 100, maxMs: 1000 };

  it.each([
    { failures: 1, random: 0.5, ms: 100 },
    { failures: 3, random: 0.5, ms: 400 },
    { failures: 5, random: 0.5, ms: 1000 },
    { failures: 5000, random: 0.5, ms: 1000 },
    { failures: 1, random: 0, ms: 75 },
    { failures: 1, random: 1, ms: 125 },
  ])("backOffMs() is $ms ms after $failures failures with the random number $random", (row) => {
    expect(backOffMs(limits, row.failures, row.random)).toBe(row.ms);
  });
});

describe("BackOff", () => {
  it("BackOff waits longer each time until it is reset, by its clock", async () => {
    const waits: number[] = [];
    const delay = async (ms: number) => void waits.push(ms);
    const backOff = new BackOff({
      firstMs: 10,
      maxMs: 30,
      clock: { ...systemClock, random: () => 0.5, delay },
    });
    for (let i = 0; i < 4; i++) await backOff.wait({});
    backOff.reset();
    expect(backOff.nextMs).toBe(10);
    await backOff.wait({});
    expect(waits).toEqual([10, 20, 30, 30, 10]);
  });
});
