import { queryObjects } from "node:v8";
import { describe, expect, it } from "vitest";
import { timerListClass } from "./warm-up.ts";

describe("timerListClass()", () => {
  it("timerListClass() finds the list that an unref'ed timer leaves when it is cleared", () => {
    const lists = () => queryObjects(timerListClass(), { format: "count" });
    const before = lists();
    clearTimeout(setTimeout(() => {}, 123_457));
    expect(lists()).toBe(before);
    clearTimeout(setTimeout(() => {}, 123_457).unref());
    expect(lists()).toBe(before + 1);
  });
});
