import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_RANK, NIL_RANK, parseRank, type Rank } from "./rank.ts";
import { formatRankSet, parseRankList, parseRankSet } from "./rank-set.ts";

describe("parseRank()", () => {
  it.each([0, 7, "12", MAX_RANK])("takes %j", (value) => {
    expect(parseRank(value)).toBe(Number(value));
  });

  it.each([-1, 1.5, NIL_RANK, "", " 1", "0x1", "1e3", null, undefined, {}, Number.NaN])(
    "refuse %j",
    (value) => {
      expect(() => parseRank(value)).toThrow("is not a rank");
    },
  );
});

describe("parseRankSet(), parseRankList() and formatRankSet()", () => {
  it("expand, order and shorten a set", () => {
    expect(parseRankSet("7, 0-3,2")).toEqual([0, 1, 2, 3, 7]);
    expect(formatRankSet([3, 0, 1, 2, 7, 9, 8].map(parseRank))).toBe("0-3,7-9");
  });

  it("keep the given order of a list", () => {
    expect(parseRankList("7, 2-3,0,3")).toEqual([7, 2, 3, 0]);
  });

  it.each(["", "a", "3-1", "1-", "0-99999999", "1,,2"])("refuses %j", (text) => {
    expect(() => parseRankSet(text)).toThrow("rank set");
  });

  it("keep a set in a round trip", () => {
    const ranks = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1 });
    fc.assert(
      fc.property(ranks, (list) => {
        const sorted = [...list].sort((a, b) => a - b) as Rank[];
        expect(parseRankSet(formatRankSet(sorted))).toEqual(sorted);
      }),
    );
  });
});
