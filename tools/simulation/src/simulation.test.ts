import { describe, expect, it } from "vitest";
import { seedPlan } from "./seed-plan.ts";
import { simulate } from "./simulate.ts";

/** The first seeds of `npm run test:simulation`. Few have the full size, because these take seconds each. */
const SMALL = Array.from({ length: 97 }, (_, index) => index + 10_001);
const LARGE = [20_001, 20_002, 20_003];

describe("simulate()", () => {
  it.each(LARGE)("keeps its promises to 2,048 ranks in seed %i", async (seed) => {
    const { violations, members } = await simulate(seedPlan(seed, true));
    expect(violations).toEqual([]);
    expect(members).toBeGreaterThan(1_900);
  });

  it.each(SMALL)("keeps its promises in seed %i", async (seed) => {
    expect((await simulate(seedPlan(seed, false))).violations).toEqual([]);
  });

  it("has the same history for the same seed, and another one for another", async () => {
    const [first, again, other] = [
      await simulate(seedPlan(7, false)),
      await simulate(seedPlan(7, false)),
      await simulate(seedPlan(11, false)),
    ];
    expect(again).toEqual(first);
    expect(other.hash).not.toBe(first.hash);
  });
});
