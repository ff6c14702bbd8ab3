import { describe, expect, it } from "vitest";
import { closest, editDistance, suggest } from "./suggest.ts";

describe("editDistance()", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["scan", "scna", 1],
    ["format", "fromat", 1],
    ["provider", "providr", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("of %j and %j is %i in both directions", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("suggest()", () => {
  it.each([
    ["scm_mout", ["scm_mount", "scm_size"], ["scm_mount"]],
    ["SCM-MOUNT", ["scm_mount", "scm_class"], ["scm_mount"]],
    ["bdev_in", ["bdev_is", "bdev_it"], ["bdev_is", "bdev_it"]],
    ["xyz", ["scan"], []],
    ["x".repeat(65), ["x".repeat(64)], []],
  ])("%j of %j is %j", (word, candidates, meant) => {
    expect(suggest(word, candidates)).toEqual(meant);
  });
});

describe("closest()", () => {
  it.each([
    ["scna", "scan"],
    ["for", "format"],
    ["xyz", undefined],
    ["s".repeat(1000), undefined],
  ])("%j is %s", (word, meant) => {
    expect(closest(word, ["scan", "format", "query"])).toBe(meant);
  });
});
