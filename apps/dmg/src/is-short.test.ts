import { describe, expect, it } from "vitest";
import { isShort } from "./is-short.ts";

describe("isShort()", () => {
  it.each([
    ["version", true],
    ["--version", true],
    ["version --json", true],
    ["version --servers", false],
    ["", true],
    ["--help", true],
    ["help", true],
    ["pool", true],
    ["help pool create", true],
    ["storage scan -h", true],
    ["explain 922", true],
    ["completion bash", true],
    ["plugins list", false],
    ["pool create --size 1G --label help", false],
    ["hosts devices --help", false],
    ["storage scna --help", false],
    ["version --no-such-flag", false],
  ])("isShort() decides about dmg %s", (line, is) => {
    expect(isShort(line === "" ? [] : line.split(" "))).toBe(is);
  });
});
