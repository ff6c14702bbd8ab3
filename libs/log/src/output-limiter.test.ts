import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createOutputLimiter, type OutputLimits } from "./output-limiter.ts";

function limiter(limits: OutputLimits = {}) {
  const lines: string[] = [];
  const reports: { lines: number; bytes: number }[] = [];
  const clock = { ms: 0 };
  const { push, end } = createOutputLimiter({
    ...limits,
    write: (line) => lines.push(line),
    onDropped: (dropped) => reports.push(dropped),
    now: () => clock.ms,
  });
  return { lines, reports, clock, end, push: (text: string) => push(Buffer.from(text)) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("createOutputLimiter()", () => {
  it("passes on lines from chunks of any size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 20 })),
        fc.array(fc.nat(30)),
        (texts, cuts) => {
          const wanted = texts.map((text) => text.replace(/[\r\n]/g, ""));
          const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(""));
          const lines: string[] = [];
          const { push, end } = createOutputLimiter({
            write: (line) => lines.push(line),
            onDropped: () => expect.fail("dropped"),
            now: () => 0,
          });
          let start = 0;
          for (const cut of cuts) {
            push(bytes.subarray(start, start + cut));
            start += cut;
          }
          push(bytes.subarray(Math.min(start, bytes.length)));
          end();
          expect(lines).toEqual(wanted);
        },
      ),
      { seed: 3 },
    );
  });

  it("passes on a last line without a line feed at the end", () => {
    const { lines, push, end } = limiter();
    push("a\r\nb");
    expect(lines).toEqual(["a"]);
    end();
    expect(lines).toEqual(["a", "b"]);
  });

  it("truncates long lines and does not buffer the rest", () => {
    const { lines, push, end } = limiter({ maxLineBytes: 4 });
    push("abcdef\n");
    for (let at = 0; at < 1000; at++) push("xyz");
    push("\nshort\n");
    end();
    expect(lines).toEqual([
      "abcd ... (2 more bytes)",
      "xyzx ... (2996 more bytes)",
      "shor ... (1 more bytes)",
    ]);
  });

  it("drops lines above the rate, reports their number once a second, and then passes lines on again", () => {
    const { lines, reports, clock, push } = limiter({ linesPerSecond: 2 });
    push("x\n".repeat(30));
    expect(lines).toHaveLength(20);
    expect(reports).toEqual([]);
    clock.ms = 1_000;
    vi.advanceTimersByTime(1_000);
    expect(reports).toEqual([{ lines: 10, bytes: 20 }]);
    push("y\n".repeat(3));
    expect(lines.slice(20)).toEqual(["y", "y"]);
    vi.advanceTimersByTime(1_000);
    expect(reports).toHaveLength(2);
    vi.advanceTimersByTime(10_000);
    expect(reports).toHaveLength(2);
  });

  it("limits bytes as well", () => {
    const { lines, reports, push, end } = limiter({ bytesPerSecond: 10 });
    push(`${"z".repeat(60)}\n`.repeat(3));
    push("short\n");
    end();
    expect(lines).toEqual(["z".repeat(60), "short"]);
    expect(reports).toEqual([{ lines: 2, bytes: 122 }]);
  });

  it("processes a hundred megabytes in bounded memory", () => {
    const { lines, reports, push, end } = limiter();
    const chunk = `${"0123456789abcdef".repeat(5)}\n`.repeat(800);
    const before = process.memoryUsage().arrayBuffers;
    let pushed = 0;
    while (pushed < 100e6) {
      push(chunk);
      pushed += chunk.length;
    }
    end();
    const shown = lines.reduce((sum, line) => sum + line.length + 1, 0);
    expect(shown).toBeLessThanOrEqual(10 * 64 * 1024 + 2_000);
    expect(shown + (reports[0]?.bytes ?? 0)).toBe(pushed);
    // Unused chunks may still await garbage collection. The whole output must not stay in memory.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100e6);
  });
});
