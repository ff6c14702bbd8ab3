import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCapacity, parseModules, saysNoModules } from "./parse-ipmctl.ts";
import { parseAllNamespaces, parseNamespaces, parseRegions } from "./parse-ndctl.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");

describe("parseNamespaces()", () => {
  it("reads an array, in the order of the block devices", () => {
    expect(parseNamespaces(fixture("ndctl-76.1-list-N-v.json"))).toEqual([
      {
        uuid: "55bedf6f-a14a-429c-b65a-b764e01892cf",
        blockdev: "pmem0",
        dev: "namespace0.0",
        numaNode: 1,
        size: 526385152n,
        mode: "fsdax",
      },
      {
        uuid: "169fafeb-9136-4262-a230-2961beb4abb1",
        blockdev: "pmem1",
        dev: "namespace1.0",
        numaNode: 0,
        size: 526385152n,
        mode: "fsdax",
      },
    ]);
  });

  it.each([
    ["nothing", "", []],
    ["a blank line", "\n", []],
    ["an empty array", "[]", []],
    ["one object", fixture("ndctl-76.1-create-fsdax.json"), ["pmem1"]],
    ["an object of lists", '{"namespaces":[{"dev":"namespace0.0","size":1,"blockdev":"pmem0"}]}', ["pmem0"]],
    ["a namespace without block device", fixture("ndctl-76.1-create-devdax.json"), []],
    ["a seed", '[{"dev":"namespace1.0","mode":"raw","size":0,"blockdev":"pmem1"}]', []],
    ["no NUMA node", '{"dev":"namespace0.0","size":1,"blockdev":"pmem0","numa_node":-1}', ["pmem0"]],
    [
      "ten devices",
      '[{"dev":"a","size":1,"blockdev":"pmem10"},{"dev":"b","size":1,"blockdev":"pmem2"}]',
      ["pmem2", "pmem10"],
    ],
  ])("reads %s", (_, text, expected) => {
    expect(parseNamespaces(text).map(({ blockdev }) => blockdev)).toEqual(expected);
  });

  it.each([
    ["memory", "fsdax"],
    ["dax", "devdax"],
    ["fsdax", "fsdax"],
    ["sector", "sector"],
  ])("knows the mode %s, as ndctl before v60 says, for %s", (name, mode) => {
    const text = JSON.stringify([{ dev: "namespace0.0", mode: name, size: 4096, blockdev: "pmem0" }]);
    expect(parseNamespaces(text)[0]?.mode).toBe(mode);
    expect(parseAllNamespaces(text)[0]?.mode).toBe(mode);
  });

  it("does not guess at text that is not JSON", () => {
    expect(() => parseNamespaces("Error: unknown switch")).toThrow(SyntaxError);
  });
});

describe("parseModules()", () => {
  it("reads modules on two sockets", () => {
    expect(parseModules(fixture("ipmctl-02.00.00.3825-show-dimm.xml"))).toEqual([
      module(0x1e, 0, 0),
      module(0x24, 0, 1),
      module(0x2a, 1, 0),
      module(0x30, 1, 1),
    ]);
  });

  it("reads a list without modules, and refuses text without a list", () => {
    expect(parseModules("<?xml version='1.0'?><DimmList/>")).toEqual([]);
    expect(() => parseModules(fixture("ipmctl-03.00.00.0468-no-modules.txt"))).toThrow("no <DimmList>");
  });

  it("recognizes the text that ipmctl prints for a machine without modules", () => {
    expect(saysNoModules(fixture("ipmctl-03.00.00.0468-no-modules.txt"))).toBe(true);
    expect(saysNoModules("The current user has insufficient permissions.")).toBe(false);
  });

  function module(physicalId: number, socket: number, memoryController: number) {
    return {
      physicalId,
      socket,
      memoryController,
      channel: 0,
      channelPosition: 1,
      capacity: parseCapacity("502.599 GiB"),
    };
  }
});

describe("parseModules, whatever unit the administrator prefers", () => {
  it.each([
    ["ipmctl-show-dimm-GB.xml", 135_700_000_000n],
    ["ipmctl-show-dimm-B.xml", 135_694_123_008n],
  ])("reads %s", (name, capacity) => {
    const xml = readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
    expect(parseModules(xml).map((module) => module.capacity)).toEqual([capacity, capacity]);
  });
});

describe("parseCapacity()", () => {
  it.each([
    ["126.375 GiB", 135_694_123_008n],
    ["1.5 TiB", 1_649_267_441_664n],
    ["0 B", 0n],
    ["512 MiB", 536_870_912n],
    ["much", 0n],
  ])("%s is %s bytes", (text, bytes) => {
    expect(parseCapacity(text)).toBe(bytes);
  });
});

describe("parseModules() and parseNamespaces(), given malformed output,", () => {
  const entry = fc.record(
    {
      dev: fc.anything(),
      size: fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null)),
      available_size: fc.double(),
      blockdev: fc.string(),
      numa_node: fc.anything(),
      type: fc.constantFrom("pmem", "blk", 7),
    },
    { requiredKeys: [] },
  );

  it("read the parts that make sense", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(entry), entry, fc.jsonValue()), (value) => {
        const text = JSON.stringify(value) ?? "";
        for (const { size, numaNode } of parseNamespaces(text)) {
          expect(size).toBeGreaterThan(0n);
          expect(numaNode).toBeGreaterThanOrEqual(0);
        }
        parseRegions(text);
      }),
    );
  });

  it("read an object in place of a name as no name", () => {
    const answer = JSON.stringify([{ dev: { toString: 0 }, uuid: [], size: 1, blockdev: "pmem0" }]);
    expect(parseNamespaces(answer)).toMatchObject([{ dev: "", uuid: "", blockdev: "pmem0" }]);
  });

  it("never throw an unexpected error", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseCapacity(text)).toBeGreaterThanOrEqual(0n);
        expect(parseCapacity(`${text} GiB`)).toBeGreaterThanOrEqual(0n);
        parseModules(
          `<DimmList><Dimm><Capacity>${text}</Capacity><SocketID>${text}</SocketID></Dimm></DimmList>`,
        );
      }),
    );
  });
});
