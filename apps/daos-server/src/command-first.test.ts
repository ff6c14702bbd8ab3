import { describe, expect, it } from "vitest";
import { commandFirst } from "./command-first.ts";

const options = new Map([
  ["-o", { takesValue: true }],
  ["--config", { takesValue: true }],
  ["-b", { takesValue: false }],
]);

describe("commandFirst", () => {
  it.each([
    ["start -p 1", "start -p 1"],
    ["-o f.yml start -p 1", "start -p 1 -o f.yml"],
    ["-b --config=f.yml start", "start -b --config=f.yml"],
    ["-o f.yml -b storage scan", "storage scan -o f.yml -b"],
    ["--help", "--help"],
    ["-o", "-o"],
    ["", ""],
  ])("%j becomes %j", (given, expected) => {
    const words = (text: string) => text.split(" ").filter((word) => word !== "");
    expect(commandFirst(words(given), options)).toEqual(words(expected));
  });
});
