import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { fanOut } from "./fan-out.ts";

describe("fanOut()", () => {
  it("fanOut() starts no more work when its reader stops", async () => {
    const started: number[] = [];
    const results = fanOut(
      [1, 2, 3, 4, 5],
      () => 1,
      async (item) => {
        started.push(item);
        await delay(0);
        return item;
      },
    );
    for await (const result of results) {
      expect(result).toBe(1);
      break;
    }
    expect(started.length).toBeLessThan(5);
  });

  it("fanOut() passes on an exception of the work", async () => {
    const results = fanOut(
      [1],
      () => 1,
      () => Promise.reject(new TypeError("bug")),
    );
    await expect(results.next()).rejects.toThrow("bug");
  });
});
