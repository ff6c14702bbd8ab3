import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BdevStorage } from "./bdev-types.ts";
import { parseSmartLog } from "./parse-nvme-cli.ts";
import { parsePciAddress } from "./pci-address.ts";
import { renderNvmeConf } from "./render-nvme-conf.ts";

const storage = (changes: Partial<BdevStorage>): BdevStorage => ({
  class: "nvme",
  list: [],
  number: 0,
  sizeGB: 0,
  ...changes,
});

describe("renderNvmeConf()", () => {
  // The cases of DAOS 0.8.0 src/control/server/storage/bdev/class_test.go, with a host.
  it.each<[string, BdevStorage, string | undefined]>([
    [
      "two controllers",
      storage({ list: ["0000:81:00.0", "0000:81:00.1"] }),
      "[Nvme]\n" +
        '    TransportID "trtype:PCIe traddr:0000:81:00.0" Nvme_node1_0\n' +
        '    TransportID "trtype:PCIe traddr:0000:81:00.1" Nvme_node1_1\n' +
        "    RetryCount 4\n    TimeoutUsec 0\n    ActionOnTimeout None\n    AdminPollRate 100000\n" +
        "    HotplugEnable No\n    HotplugPollRate 0\n",
    ],
    [
      "files",
      storage({ class: "file", list: ["/tmp/myfile", "/tmp/myotherfile"], sizeGB: 5 }),
      "[AIO]\n    AIO /tmp/myfile AIO_node1_0 4096\n    AIO /tmp/myotherfile AIO_node1_1 4096\n",
    ],
    [
      "kernel devices",
      storage({ class: "kdev", list: ["/dev/sdb", "/dev/sdc"] }),
      "[AIO]\n    AIO /dev/sdb AIO_node1_0\n    AIO /dev/sdc AIO_node1_1\n",
    ],
    [
      "malloc",
      storage({ class: "malloc", number: 2, sizeGB: 5 }),
      "[Malloc]\n    NumberOfLuns 2\n    LunSizeInMB 5000\n",
    ],
    ["no controllers", storage({}), undefined],
    ["no files", storage({ class: "file", sizeGB: 5 }), undefined],
    ["no kernel devices", storage({ class: "kdev" }), undefined],
    ["no malloc devices", storage({ class: "malloc", sizeGB: 5 }), undefined],
  ])("%s", (_, input, expected) => {
    expect(renderNvmeConf(input, { host: "node1" })).toBe(expected);
  });
});

describe("parsePciAddress()", () => {
  it.each([
    ["0000:81:00.0", "0000:81:00.0"],
    ["81:00.0", "0000:81:00.0"],
    [" 0000:AF:1f.7\n", "0000:af:1f.7"],
    ["5d0505:01:00.0", "5d0505:01:00.0"],
    ["0000:81:20.0", undefined],
    ["0000:81:00.8", undefined],
    ["0000:81:00", undefined],
    ["nvme0", undefined],
    ["", undefined],
  ])("%j is %s", (text, expected) => {
    expect(parsePciAddress(text)).toBe(expected);
  });
});

describe("parseSmartLog()", () => {
  const log = readFileSync(new URL("../fixtures/nvme-cli-2.3-smart-log.json", import.meta.url), "utf8");

  it("reads numbers of any width", () => {
    const changed = log.replace(
      '"media_errors":"0"',
      '"media_errors":"340282366920938463463374607431768211455"',
    );
    expect(parseSmartLog(changed)).toMatchObject({
      temperature: 323,
      mediaErrors: 340282366920938463463374607431768211455n,
      powerCycles: 0n,
      temperatureWarning: false,
    });
  });

  it.each([
    [1, "spareWarning"],
    [2, "temperatureWarning"],
    [4, "reliabilityWarning"],
    [8, "readOnlyWarning"],
    [16, "volatileWarning"],
  ] as const)("bit %i of the warnings is %s", (bit, name) => {
    for (const text of [
      log.replace('"critical_warning":0', `"critical_warning":${bit}`),
      log.replace('"critical_warning":0', `"critical_warning":{"value":${bit}}`),
    ]) {
      const health = parseSmartLog(text);
      const set = Object.entries(health).filter(([, value]) => value === true);
      expect(set).toEqual([[name, true]]);
    }
  });

  it("refuses text that is not a smart log", () => {
    expect(() => parseSmartLog("Usage: nvme")).toThrow(SyntaxError);
    expect(() => parseSmartLog("{}")).toThrow("no temperature");
  });
});

describe("parseSmartLog() and parsePciAddress(), given random text,", () => {
  it("parseSmartLog() parses any answer of nvme-cli, or refuses it as not a smart log", () => {
    const log = fc.record({
      temperature: fc.jsonValue(),
      critical_warning: fc.jsonValue(),
      media_errors: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue(), log), (value) => {
        const text = typeof value === "string" ? value : JSON.stringify(value);
        try {
          expect(parseSmartLog(text).mediaErrors).toBeGreaterThanOrEqual(0n);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });

  it("parsePciAddress() returns addresses that parse to themselves", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const address = parsePciAddress(text);
        if (address !== undefined) expect(parsePciAddress(address)).toBe(address);
      }),
    );
  });
});
