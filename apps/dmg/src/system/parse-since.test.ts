import { describe, expect, it } from "vitest";
import { parseSince } from "./parse-since.ts";

const now = new Date("2026-11-25T12:00:00.000Z");

describe("parseSince", () => {
  it.each([
    ["90m", "2026-11-25T10:30:00.000Z"],
    ["1.5h", "2026-11-25T10:30:00.000Z"],
    ["7d", "2026-11-18T12:00:00.000Z"],
    ["2w", "2026-11-11T12:00:00.000Z"],
    ["30s", "2026-11-25T11:59:30.000Z"],
    ["2026-11-25", "2026-11-25T00:00:00.000Z"],
    ["2026-11-25T08:30Z", "2026-11-25T08:30:00.000Z"],
    ["2026-11-25 08:30:15", "2026-11-25T08:30:15.000Z"],
    ["2026-11-25T08:30:15.250+01:00", "2026-11-25T07:30:15.250Z"],
  ])("parseSince() reads %s", (text, expected) => {
    expect(parseSince(text, now).toISOString()).toBe(expected);
  });

  it.each(["", "yesterday", "7", "7y", "2026-13-01", "2026-11-25T25:00", "-1h", "25.11.2026"])(
    "parseSince() refuses %j with the ways to write it",
    (text) => {
      expect(() => parseSince(text, now)).toThrow(
        expect.objectContaining({ resolution: expect.stringContaining("90m, 24h, 7d") }),
      );
    },
  );
});
