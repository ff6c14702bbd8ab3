import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { findPool } from "./find-pool.ts";
import { parsePoolLabel } from "./pool-label.ts";

const UUID = "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10";

describe("parsePoolLabel", () => {
  it.each(["a", "scratch", "pool_1.fast:gold-2", "-", "7c3bd1e4", "x".repeat(127), `${UUID}0`])(
    "accepts %j",
    (label) => {
      expect(parsePoolLabel(label)).toBe(label);
    },
  );

  it.each([
    ["", "it is empty"],
    ["x".repeat(128), "it has 128 characters"],
    ["two words", 'it has the character " "'],
    ["größe", 'it has the character "ö"'],
    ["a/b", 'it has the character "/"'],
    ["line\n", 'it has the character "\\n"'],
    [UUID, "it looks like a uuid"],
    [UUID.toUpperCase(), "it looks like a uuid"],
  ])("refuses %j", (label, reason) => {
    expect(() => parsePoolLabel(label)).toThrow(
      expect.objectContaining({ code: FaultCode.poolLabelInvalid, reason }) as Error,
    );
  });
});

describe("findPool", () => {
  const fast = { uuid: UUID, label: "fast" };
  const like = { uuid: "11111111-7a37-4fdb-9a7b-2c5f8e6b9d10", label: "7c3bd1e4" };
  const bare = { uuid: "11112222-7a37-4fdb-9a7b-2c5f8e6b9d10", label: "" };
  const pools = [fast, like, bare];

  it.each([
    ["fast", fast],
    [UUID, fast],
    [UUID.toUpperCase(), fast],
    ["7c3b", fast],
    ["7c3bd1e4-7", fast],
    // A label wins over the beginning of another pool's uuid.
    ["7c3bd1e4", like],
    ["11112", bare],
  ])("finds by %s", (text, pool) => {
    expect(findPool(pools, text)).toEqual({ kind: "found", pool });
  });

  it.each(["", "7c3", "FAST", "fas", "beef", "fast*"])("finds nothing by %j", (text) => {
    expect(findPool(pools, text)).toEqual({ kind: "unknown" });
  });

  it("lists the pools that a beginning may mean", () => {
    expect(findPool(pools, "1111")).toEqual({ kind: "ambiguous", pools: [like, bare] });
  });
});
