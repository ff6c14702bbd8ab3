import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { visit } from "yaml";
import { composeYaml } from "./compose-yaml.ts";

// Thousands of runs, which take seconds on a loaded machine.
vi.setConfig({ testTimeout: 120_000 });

const read = (text: string) => {
  const { document, errors } = composeYaml(text);
  return errors.length > 0 ? errors.map(({ message }) => message) : document?.toJS();
};

describe("composeYaml()", () => {
  // Expected: what libyaml 0.2.5 reads.
  it.each([
    ["a bracket at the left edge", "a: [\nx,\ny\n]\nb: 1", { a: ["x", "y"], b: "1" }],
    ["a comma at the left edge", "a: [x\n,y]", { a: ["x", "y"] }],
    ["lines further left than their key", "s:\n- a: [x,\n y]\n  b: 1", { s: [{ a: ["x", "y"], b: "1" }] }],
    ["an empty line and a comment between", "a: [x,\n\n# c\ny]", { a: ["x", "y"] }],
    ["braces at the left edge", "a: {x: 1,\ny: 2\n}", { a: { x: "1", y: "2" } }],
    ["collections in each other", "a: [[x,\ny], {z:\n1}]", { a: [["x", "y"], { z: "1" }] }],
    ["a double-quoted text", 'a: "x\ny: 2"\nb: 1', { a: "x y: 2", b: "1" }],
    ["a single-quoted text", "a: 'x\n\ny'\nb: 1", { a: "x\ny", b: "1" }],
    ["a comment right after a bracket", "a: [x]# c\nb: 1", { a: ["x"], b: "1" }],
    ["a comment right after a comma", "a: [x,# c\n  y]", { a: ["x", "y"] }],
    ["carriage returns", "a: 1\rb: 2", { a: "1", b: "2" }],
    ["NEL", "a: 1\u0085b: 2", { a: "1", b: "2" }],
    ["LS and PS", "a: 1\u2028b: 2\u2029c: 3", { a: "1", b: "2", c: "3" }],
    ["a block text without a line end", "a: |\n  x\n  y", { a: "x\ny" }],
    ["a block text that keeps its line ends, without a last one", "a: >+\n  x\n\n  y", { a: "x\ny" }],
    ["a block text in the middle", "a: |\n  x\nb: 1", { a: "x\n", b: "1" }],
    ["an empty text", "", null],
  ])("reads %s", (_what, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    ["a bracket that is never closed", "a: [x,\nb: 1\n", /sufficiently indented and end with a \]/],
    ["a bracket that a document marker follows", "a: [x,\n---\nb: 1\n", /end with a \]/],
    ["a quote that is never closed", 'a: "x\nb: 1\n', /Missing closing "quote/],
    ["keys further left than the first", "  a: 1\nb: 2\n", /Unexpected scalar/],
    ["a tag without a name", "a: !! 1", /tag/i],
  ])("refuses %s with the parser's error for the unchanged text", (_what, text, message) => {
    const { errors, source } = composeYaml(text);
    expect(errors.map((error) => error.message).join("\n")).toMatch(message);
    expect(source).toBe(text);
  });

  it("names the places of the text as it was given", () => {
    const text = "a: [\nx,\n  y\n]\nb: 1\n";
    const { document, positionAt } = composeYaml(text);
    const found: string[] = [];
    visit(document ?? null, {
      Scalar: (key, { range }) => {
        const { line, column } = positionAt(range?.[0] ?? -1);
        if (key !== "key") found.push(`${line}:${column}`);
      },
    });
    expect(found).toEqual(["2:1", "3:3", "5:4"]);
  });

  it("says where a second document begins", () => {
    const { second, positionAt } = composeYaml("a: 1\n---\nb: 2\n");
    expect(positionAt(second ?? -1)).toEqual({ line: 3, column: 1 });
  });

  it("ends for a bracket that is never closed in many lines", () => {
    const text = `a: [\n${"x: y,\n".repeat(20_000)}`;
    expect(composeYaml(text).errors.length).toBeGreaterThan(0);
  });

  const word = fc.stringMatching(/^[a-z/][a-z0-9:/.]{0,8}[a-z0-9]$/);
  const gap = fc.stringMatching(/^(?: |\n {0,6}|\n\n| # c\n {0,3}){0,2}$/);
  const item = fc.tuple(
    gap,
    fc.oneof(
      word,
      word.map((text) => `"${text}"`),
    ),
    gap,
  );
  it("reads a list the same wherever its lines begin", () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), fc.nat({ max: 2 }), (items, depth) => {
        const list = items.map((parts) => parts.join("")).join(",");
        const indent = " ".repeat(depth * 2);
        const text = `${depth > 0 ? "s:\n" : ""}${indent}a: [${list}]\n${indent}b: 1\n`;
        const map = { a: items.map(([, value]) => value.replaceAll('"', "")), b: "1" };
        expect(read(text)).toEqual(depth > 0 ? { s: map } : map);
      }),
      { numRuns: 2_000, seed: 16 },
    );
  });
});
