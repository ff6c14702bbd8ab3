import { describe, expect, it } from "vitest";
import { TokenBuckets } from "./token-buckets.ts";

describe("TokenBuckets", () => {
  it("lets a burst through, then so many a second, each address by itself", () => {
    let now = 0;
    const rate = new TokenBuckets(3, 10, () => now);
    const delays = (address: string, count: number) =>
      Array.from({ length: count }, () => Math.round(rate.delay(address, 1000) ?? -1));
    expect(delays("a", 5)).toEqual([0, 0, 0, 100, 200]);
    expect(delays("b", 3)).toEqual([0, 0, 0]);
    now = 200;
    expect(delays("a", 2)).toEqual([100, 200]);
    now = 10_000;
    expect(delays("a", 4)).toEqual([0, 0, 0, 100]);
  });

  it("does not count what is turned away, so that an address is free again soon after it stops", () => {
    let now = 0;
    const rate = new TokenBuckets(1, 1, () => now);
    for (let attempts = 0; attempts < 1000; attempts++) rate.delay("a", 2000);
    expect(rate.delay("a", 2000)).toBeUndefined();
    now = 3000;
    expect(rate.delay("a", 2000)).toBe(0);
  });

  it("knows without taking a token whether there is one", () => {
    let now = 0;
    const rate = new TokenBuckets(2, 1, () => now);
    const seen = [
      rate.isEmpty("a"),
      rate.delay("a", 0),
      rate.isEmpty("a"),
      rate.delay("a", 0),
      rate.isEmpty("a"),
    ];
    expect(seen).toEqual([false, 0, false, 0, true]);
    now = 1000;
    expect(rate.isEmpty("a")).toBe(false);
    expect(rate.isEmpty("b")).toBe(false);
  });

  it("forgets addresses that have been quiet, and never remembers too many", () => {
    let now = 0;
    const rate = new TokenBuckets(1, 1, () => now);
    rate.delay("busy", 5000);
    expect(rate.delay("busy", 5000)).toBe(1000);
    for (let index = 0; index < 30_000; index++) {
      now += 0.001;
      rate.delay(`address ${index}`, 5000);
    }
    now = 1_000_000;
    expect(rate.delay("busy", 5000)).toBe(0);
  });
});
