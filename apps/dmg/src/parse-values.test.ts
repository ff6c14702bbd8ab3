import { describe, expect, it } from "vitest";
import { parseSize } from "./parse-size.ts";
import { parseUuid } from "./parse-uuid.ts";
import { parseDuration } from "./run-command.ts";

describe("parseSize", () => {
  it.each([
    ["0", 0n],
    ["4096", 4096n],
    ["1k", 1024n],
    ["500MB", 500n * 1024n ** 2n],
    ["1G", 1024n ** 3n],
    ["1.5GiB", 1536n * 1024n ** 2n],
    [" 2 TB ", 2n * 1024n ** 4n],
    ["0.1G", 107_374_182n],
  ])("parseSize() reads %j as %i bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", "G", "-1G", "1X", "1,5G", "1e3", "1GG", "10%", "99999999999999999E", "0x10"])(
    "parseSize() refuses %j",
    (text) => {
      expect(() => parseSize(text)).toThrow(/size/);
    },
  );
});

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["30", 30_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["2h", 7_200_000],
  ])("parseDuration() reads %j as %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "0", "-1s", "1d", "soon", "999h"])("parseDuration() refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow("is not a time");
  });
});

describe("parseUuid", () => {
  it("parseUuid() accepts capitals and refuses other text", () => {
    expect(parseUuid("7C3BD1E4-7A37-4FDB-9A7B-2C5F8E6B9D10", "a device")).toBe(
      "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10",
    );
    expect(() => parseUuid("7c3bd1e4", "a device")).toThrow("not the uuid of a device");
  });
});
