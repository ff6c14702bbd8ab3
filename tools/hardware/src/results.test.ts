import { expect, it } from "vitest";
import { escapePattern, readResults } from "./results.ts";

const OUTPUT = `✖ bdev, first time: prepare, reset (34.9ms)
ℹ prepared after 5 s
✔ scm: class ram is a real tmpfs (742.08398ms)
✖ a (b): c/d (12ms)
ℹ tests 3
ℹ fail 2

✖ failing tests:

test at dist/checks/bdev.js:2:1
✖ bdev, first time: prepare, reset (34.9ms)
  AssertionError [ERR_ASSERTION]: 1 == 2
`;

it("readResults() finds each failed check once, and counts the passed checks", () => {
  expect(readResults(OUTPUT)).toEqual({
    passed: 1,
    failed: ["bdev, first time: prepare, reset", "a (b): c/d"],
  });
  expect(readResults("the kernel panicked")).toEqual({ passed: 0, failed: [] });
});

it.each(["a (b): c/d", "100 % of [it]", "SCM: no ndctl"])("escapePattern() makes a pattern of %j", (name) => {
  const pattern = new RegExp(`^(?:${escapePattern(name)})$`);
  expect(pattern.test(name)).toBe(true);
  expect(pattern.test(`${name}, too`)).toBe(false);
});
