import { expect, it } from "vitest";
import { countOf, formatAge, formatBytes, formatDuration } from "./format.ts";

it("formatBytes() uses units of 1024", () => {
  expect([0n, 1023n, 1536n, 2n * 1024n ** 4n].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.5 KiB",
    "2.0 TiB",
  ]);
});

it("formatAge() uses one unit", () => {
  const ages = [0, 59_000, 61_000, 7_200_000, 400_000_000, -5_000];
  expect(ages.map((age) => formatAge(0, age))).toEqual(["0 s", "59 s", "1 min", "2 h", "4 days", "0 s"]);
});

it("countOf() uses singular and plural", () => {
  expect([countOf(1, "host"), countOf(1024, "host")]).toEqual(["1 host", "1,024 hosts"]);
});

it("formatDuration() uses at most two units", () => {
  expect([-1, 12_400, 250_000, 3_900_000].map(formatDuration)).toEqual([
    "0 s",
    "12 s",
    "4 min 10 s",
    "1 h 5 min",
  ]);
});
