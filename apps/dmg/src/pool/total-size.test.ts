import { describe, expect, it } from "vitest";
import { parseWantedSize, type RankUsage } from "./pool-size.ts";
import { chooseRanks, divideTotal, parseTierRatio, shareOfBoth } from "./total-size.ts";

const GIB = 1024n ** 3n;

describe("parseTierRatio", () => {
  it.each([
    [undefined, 600n],
    ["6", 600n],
    ["6,94", 600n],
    ["0.5%", 50n],
    ["100", 10_000n],
    ["33.33,66.67", 3333n],
  ])("parseTierRatio() reads %s", (text, share) => {
    expect(parseTierRatio(text)).toBe(share);
  });

  it.each(["", "0", "101", "6,93", "6,94,0", "six", "-6", ","])("refuses %j", (text) => {
    expect(() => parseTierRatio(text)).toThrow("cannot be used");
  });
});

describe("divideTotal", () => {
  it("divides the size between the ranks, and on each rank between SCM and NVMe, in whole blocks", () => {
    const { scmBytes, nvmeBytes } = divideTotal(1024n * GIB, 4, 600n);
    expect(scmBytes % 4096n).toBe(0n);
    expect(nvmeBytes % 4096n).toBe(0n);
    expect(Number(scmBytes) / Number(256n * GIB)).toBeCloseTo(0.06, 4);
    expect(256n * GIB - scmBytes - nvmeBytes).toBeLessThan(8192n);
    expect(divideTotal(8n * GIB, 2, 10_000n)).toEqual({ scmBytes: 4n * GIB, nvmeBytes: 0n });
  });

  it("refuses a pool that is too small, or on no rank", () => {
    expect(() => divideTotal(1024n ** 2n, 4, 600n)).toThrow("a pool needs 1 MiB or more");
    expect(() => divideTotal(GIB, 0, 600n)).toThrow("cannot be on 1 rank: 0 of the system serve");
  });
});

describe("shareOfBoth", () => {
  const rank = (number: number, free: bigint, nvme: bigint): RankUsage => ({
    rank: number,
    host: { host: `n${number}`, port: 10001 },
    usage: {
      scm: { kind: "known", totalBytes: 100n * GIB, availableBytes: free },
      nvme: { kind: "known", totalBytes: nvme },
    },
  });
  const tenth = parseWantedSize("10%") as Parameters<typeof shareOfBoth>[0];

  it("uses the free SCM and the whole NVMe of the smallest rank", () => {
    const ranks = [rank(0, 80n * GIB, 500n * GIB), rank(1, 40n * GIB, 1000n * GIB)];
    expect(shareOfBoth(tenth, ranks)).toEqual({ scmBytes: 4n * GIB, nvmeBytes: 50n * GIB });
  });

  it("uses SCM only when a rank has no NVMe", () => {
    const ranks = [rank(0, 80n * GIB, 500n * GIB), rank(1, 40n * GIB, 0n)];
    expect(shareOfBoth(tenth, ranks)).toEqual({ scmBytes: 4n * GIB, nvmeBytes: 0n });
    expect(() => shareOfBoth(tenth, [rank(2, 0n, 0n)])).toThrow("rank 2 has no free SCM");
  });
});

describe("chooseRanks", () => {
  const member = (rank: number, host: number, state: "joined" | "stopped" = "joined") => ({
    rank,
    uuid: `${rank}`,
    address: `10.0.0.${host}:10001`,
    state,
    reason: "",
    since: undefined,
    incarnation: 1,
    fabricUri: "",
    engineNumber: undefined,
    faultDomain: "",
  });
  const members = [
    member(0, 1),
    member(1, 1),
    member(2, 2, "stopped"),
    member(3, 2),
    member(4, 3),
    member(5, 3),
  ];

  it.each([
    [1, [0]],
    [3, [0, 3, 4]],
    [4, [0, 1, 3, 4]],
    [5, [0, 1, 3, 4, 5]],
  ])("chooses %i serving ranks from as many hosts as possible", (count, ranks) => {
    expect(chooseRanks(members, count)).toEqual(ranks);
  });

  it("refuses more ranks than are serving", () => {
    expect(() => chooseRanks(members, 6)).toThrow("a pool cannot be on 6 ranks: 5 of the system serve");
    expect(() => chooseRanks(members.slice(0, 1), 2)).toThrow(
      "a pool cannot be on 2 ranks: 1 of the system serves",
    );
  });
});
