import { Fault } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { parseWantedSize, type RankUsage, shareBytes } from "./pool-size.ts";

const GIB = 1n << 30n;
const fault = new Fault({ domain: "scm", code: 206, description: "no SCM", resolution: "mount it" });

function rank(number: number, scm: bigint | Fault, nvme: bigint | Fault = 0n): RankUsage {
  const part = (size: bigint | Fault) =>
    size instanceof Fault
      ? ({ kind: "unknown", fault: size } as const)
      : ({ kind: "known", totalBytes: size, availableBytes: 0n } as const);
  return {
    rank: number,
    host: { host: `n${number}`, port: 10001 },
    usage: { scm: part(scm), nvme: part(nvme) },
  };
}

describe("the size of a pool", () => {
  it.each([
    ["10%", 1_000n],
    [" 2.5 % ", 250n],
    ["0.01%", 1n],
    ["100%", 10_000n],
  ])("parseWantedSize() reads %j as a share", (text, parts) => {
    expect(parseWantedSize(text)).toMatchObject({ kind: "share", parts });
  });

  it("parseWantedSize() reads bytes", () => {
    expect(parseWantedSize("1G")).toEqual({ kind: "bytes", bytes: GIB });
    expect(shareBytes(parseWantedSize("1G"), "scm", [])).toBe(GIB);
  });

  it.each(["0%", "101%", "100.01%", "-1%", "%", "1e1%", "1G%", "10%%", "0.001%"])(
    "parseWantedSize() refuses %j",
    (text) => {
      expect(() => parseWantedSize(text)).toThrow(Fault);
    },
  );
});

describe("a share of the ranks", () => {
  const ranks = [rank(0, 8n * GIB, 100n * GIB), rank(1, 4n * GIB, 200n * GIB), rank(2, 16n * GIB, 0n)];

  it("shareBytes() returns the share of the smallest rank, in whole blocks", () => {
    expect(shareBytes(parseWantedSize("50%"), "scm", ranks)).toBe(2n * GIB);
    expect(shareBytes(parseWantedSize("10%"), "nvme", ranks.slice(0, 2))).toBe(10n * GIB);
    const odd = shareBytes(parseWantedSize("33.33%"), "scm", ranks);
    expect(odd % 4096n).toBe(0n);
    expect(odd).toBeLessThan((4n * GIB) / 3n);
    expect(odd).toBeGreaterThan((4n * GIB * 3332n) / 10_000n);
  });

  it("shareBytes() refuses a share when a rank has no such storage", () => {
    expect(() => shareBytes(parseWantedSize("10%"), "nvme", ranks)).toThrow("rank 2 has no NVMe");
    expect(() => shareBytes(parseWantedSize("1%"), "scm", [rank(0, 4096n)])).toThrow("less than a block");
  });

  it("shareBytes() names the rank and the reason when its size is unknown", () => {
    const unknown = [...ranks, rank(3, fault)];
    expect(() => shareBytes(parseWantedSize("10%"), "scm", unknown)).toThrow(
      "the size of rank 3 on n3 is not known: no SCM",
    );
  });
});
