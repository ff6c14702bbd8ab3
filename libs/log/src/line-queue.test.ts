import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLineQueue } from "./line-queue.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A queue to a fake destination with room for this many bytes; the bytes that it accepted are in `text`. */
function queue(maxBytes?: number) {
  const target = { text: "", room: Number.POSITIVE_INFINITY, error: undefined as Error | undefined };
  const errors: unknown[] = [];
  const lines = createLineQueue({
    write: (bytes) => {
      if (target.error !== undefined) throw target.error;
      const taken = Math.min(bytes.length, target.room);
      target.text += Buffer.from(bytes.subarray(0, taken)).toString();
      target.room -= taken;
      return taken;
    },
    droppedLine: (count) => `${count} lines were dropped`,
    onError: (error) => errors.push(error),
    maxBytes,
  });
  return { target, errors, ...lines };
}

describe("createLineQueue()", () => {
  it("writes a line before the call returns while there is room", () => {
    const { target, push, flush } = queue();
    push("one");
    expect(target.text).toBe("one\n");
    expect(flush()).toBe("empty");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps waiting lines in order, and the rest of a partly written line, until there is room", () => {
    const { target, push } = queue();
    target.room = 2;
    push("one");
    push("two");
    expect(target.text).toBe("on");
    target.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(1_000);
    expect(target.text).toBe("one\ntwo\n");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("holds up to its limit, drops further lines, and reports their number when there is room again", () => {
    const { target, push, errors } = queue(20);
    target.error = new Error("no space left on device");
    for (let at = 0; at < 1_000; at++) push(`line ${at}`);
    vi.advanceTimersByTime(10_000);
    expect(target.text).toBe("");
    expect(errors).toEqual([target.error]);
    target.error = undefined;
    vi.advanceTimersByTime(1_000);
    expect(target.text).toBe("line 0\nline 1\n998 lines were dropped\n");
    push("after");
    expect(target.text).toMatch(/dropped\nafter\n$/);
  });

  it("reports a new failure after a success", () => {
    const { target, push, errors } = queue();
    for (let round = 0; round < 2; round++) {
      target.error = new Error("full");
      push("a");
      push("b");
      target.error = undefined;
      vi.advanceTimersByTime(1_000);
    }
    expect(errors).toHaveLength(2);
    expect(target.text).toBe("a\nb\na\nb\n");
  });

  it("accepts a line above its limit when nothing waits", () => {
    const { target, push } = queue(4);
    push("longer than that");
    expect(target.text).toBe("longer than that\n");
  });
});
