import { describe, expect, it } from "vitest";
import { HostPace } from "./host-pace.ts";

/** A pace after connections that took these times, ms. */
function after(fanout: number, ...times: readonly number[]): HostPace {
  const pace = new HostPace({ fanout, patient: false });
  for (const ms of times) pace.connected(ms);
  return pace;
}

const many = (count: number, ms: number) => new Array<number>(count).fill(ms);

describe("HostPace", () => {
  it.each<readonly [string, HostPace, number]>([
    ["32 hosts in the beginning", after(128), 32],
    ["one more for each host that answers soon", after(128, 5, 5, 999), 35],
    ["no more than --fanout", after(128, ...many(500, 5)), 128],
    ["no more than a small --fanout", after(4, ...many(500, 5)), 4],
    ["one less for each host that answers late", after(128, ...many(10, 5), 1_000, 1_500), 40],
    ["no fewer than 32 when all are late", after(128, ...many(500, 2_000)), 32],
    ["no more than a small --fanout when all are late", after(4, ...many(500, 2_000)), 4],
  ])("atOnce is %s", (_name, { atOnce }, expected) => {
    expect(atOnce).toBe(expected);
  });

  it.each<readonly [string, HostPace, number]>([
    ["3 s in the beginning", after(128), 3_000],
    ["3 s while hosts answer soon", after(128, 5, 900), 3_000],
    ["three times what the slowest took", after(128, 1_500, 5), 4_500],
    ["10 s at most", after(128, 9_000), 10_000],
    ["10 s for a patient request", new HostPace({ fanout: 128, patient: true }), 10_000],
  ])("connectMs is %s", (_name, { connectMs }, expected) => {
    expect(connectMs).toBe(expected);
  });
});
