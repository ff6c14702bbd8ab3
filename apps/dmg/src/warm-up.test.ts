import { describe, expect, it } from "vitest";
import { timerLists } from "./warm-up.ts";

describe("timerLists()", () => {
  it("timerLists() counts the list that an unref'ed timer leaves when it is cleared", () => {
    const before = timerLists();
    clearTimeout(setTimeout(() => {}, 123_457));
    expect(timerLists()).toBe(before);
    clearTimeout(setTimeout(() => {}, 123_457).unref());
    expect(timerLists()).toBe(before + 1);
  });
});
