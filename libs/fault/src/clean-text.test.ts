import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText } from "./clean-text.ts";

describe("cleanText()", () => {
  it.each([
    ["rank 3 died: größer", 64, "rank 3 died: größer"],
    ["a\nrank 0 joined\u001b[2J", 64, "a?rank 0 joined?[2J"],
    ["abc\u202Edef\u2028ghi", 64, "abc?def?ghi"],
    ["0123456789", 8, "01234..."],
    ["0123\u{1F600}6789", 8, "0123..."],
    ["\uD800", 8, "\uFFFD"],
  ])("cleanText() turns %j within %i characters into %j", (text, max, expected) => {
    expect(cleanText(text, max)).toBe(expected);
  });

  it("cleanText() is idempotent and keeps the limit", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.integer({ min: 4, max: 30 }),
        (text, max) => {
          const clean = cleanText(text, max);
          expect(clean.length).toBeLessThanOrEqual(max);
          expect(cleanText(clean, max)).toBe(clean);
        },
      ),
    );
  });
});
