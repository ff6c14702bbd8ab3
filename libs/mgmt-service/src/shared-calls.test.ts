import { describe, expect, it } from "vitest";
import { SharedCalls } from "./shared-calls.ts";

/** Calls that end when the test says so. */
function slow() {
  const ends: ((answer: string) => void)[] = [];
  const start = () => new Promise<string>((resolve) => ends.push(resolve));
  return { ends, start };
}
const { signal } = new AbortController();

describe("SharedCalls", () => {
  it("makes one call for all who ask while it is under way, and another one later", async () => {
    const calls = new SharedCalls<string>(4);
    const { ends, start } = slow();
    const answers = Array.from({ length: 10_000 }, () => calls.call("a", start, { signal }));
    expect(ends).toHaveLength(1);
    ends[0]?.("first");
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["first"]));
    const later = calls.call("a", start, { signal });
    ends[1]?.("second");
    expect(await later).toBe("second");
  });

  it("has few calls under way, whatever is asked", async () => {
    const calls = new SharedCalls<string>(2);
    const { ends, start } = slow();
    const answers = Array.from({ length: 50 }, (_, key) => calls.call(`${key}`, start, { signal }));
    for (let ended = 0; ended < 50; ended++) {
      while (ends.length <= ended) await new Promise(setImmediate);
      expect(ends.length - ended).toBeLessThanOrEqual(2);
      ends[ended]?.("done");
    }
    expect(await Promise.all(answers)).toHaveLength(50);
  });

  it("goes on when the client that began it gives up, and fails for all when it fails", async () => {
    const calls = new SharedCalls<string>(4);
    const { ends, start } = slow();
    const impatient = new AbortController();
    const first = calls.call("a", start, impatient);
    const second = calls.call("a", start, { signal });
    impatient.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    ends[0]?.("answer");
    expect(await second).toBe("answer");
    const failing = [1, 2].map(() => calls.call("a", () => Promise.reject(new Error("no")), { signal }));
    for (const one of failing) await expect(one).rejects.toThrow("no");
  });
});
