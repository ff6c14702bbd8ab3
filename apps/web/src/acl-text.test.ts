import { expect, it } from "vitest";
import { readAclText } from "./acl-text.ts";

it("readAclText() returns the entries of a list without comments and blank lines", () => {
  expect(readAclText("# owner\nA::OWNER@:rw\n\n  A:G:GROUP@:r\n")).toEqual({
    entries: ["A::OWNER@:rw", "A:G:GROUP@:r"],
    problems: [],
  });
});

it("readAclText() returns each invalid line with the reason", () => {
  const { problems } = readAclText("A::ana:rw\nA::OWNER@:rw\nA:G:OWNER@:r\nA::OWNER@:r");
  expect(problems).toEqual([
    { line: 1, text: expect.stringContaining('"ana" is not a principal') },
    { line: 3, text: expect.stringContaining("OWNER@ is not a group") },
    { line: 4, text: "OWNER@ has an entry in line 2 already" },
  ]);
});
