import { describe, expect, it } from "vitest";
import { formatSize } from "./size.ts";
import { formatTable } from "./table.ts";

describe("formatTable", () => {
  const table = {
    columns: ["Hosts", "SCM Total"],
    rows: [
      ["node[1-8]", "1.00TB"],
      ["é", "2.00TB"],
    ],
  };

  it("formatTable() aligns columns", () => {
    expect(formatTable(table, 80)).toBe(
      "Hosts      SCM Total\n-----      ---------\nnode[1-8]  1.00TB\né          2.00TB",
    );
  });

  it("formatTable() prints blocks when the table is too wide", () => {
    expect(formatTable(table, 15)).toBe("Hosts: node[1-8]\nSCM Total: 1.00TB\n\nHosts: é\nSCM Total: 2.00TB");
  });
});

describe("formatSize", () => {
  it.each([
    [0, "0.00B"],
    [1024, "1.00KB"],
    [1005.2 * 1024 ** 3, "1005.20GB"],
    [2.9 * 1024 ** 4, "2.90TB"],
  ])("formatSize() prints %i as %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
