import { describe, expect, it } from "vitest";
import { formatFields } from "./fields.ts";
import { printable, printableLines } from "./printable.ts";
import { formatTable } from "./table.ts";

describe("printable", () => {
  it.each([
    ["a row of its own", "sda\n3  forged", "sda\\u000a3  forged"],
    ["a carriage return", "bad\rgood", "bad\\u000dgood"],
    ["an escape of the terminal", "\u001b[2Jx", "\\u001b[2Jx"],
    ["a control character of 8 bits", "\u009b2J", "\\u009b2J"],
    ["a mark that turns the direction of writing", "a\u202eb", "a\\u202eb"],
    ["a line separator", "a\u2028b", "a\\u2028b"],
    ["letters of any script", "Grüße 東京", "Grüße 東京"],
  ])("printable() escapes control characters when it gets %s", (_name, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it("printableLines() keeps line ends when the text has several lines", () => {
    expect(printableLines("a\nb\u001b[1m")).toBe("a\nb\\u001b[1m");
  });
});

it("formatTable() has one line for each row when a cell has line ends", () => {
  const table = { columns: ["Rank", "State"], rows: [["0", "Joined\n1     Joined"]] };
  expect(formatTable(table, 100).split("\n")).toHaveLength(3);
  expect(formatTable(table, 10).split("\n")).toEqual(["Rank: 0", "State: Joined\\u000a1     Joined"]);
});

it("formatFields() has one line for each field when a value has line ends", () => {
  expect(formatFields([["Model", "x\n  Serial: 1"]])).toBe("  Model: x\\u000a  Serial: 1");
});
