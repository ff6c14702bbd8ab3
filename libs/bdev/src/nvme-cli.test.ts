import { readFileSync } from "node:fs";
import { FaultCode } from "@daos/fault";
import { FakeCommandRunner } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { NvmeCli } from "./nvme-cli.ts";
import {
  parseFormatProgress,
  parseFormatSupport,
  parseNamespaceFormat,
  parseNamespaceIds,
  parseSmartLog,
} from "./parse-nvme-cli.ts";

type FakeReply = Parameters<FakeCommandRunner["on"]>[1];

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/devices/${name}`, import.meta.url), "utf8");

describe("parseNamespaceFormat()", () => {
  const plain = { extended: false, protection: 0, protectionFirst: false };
  it.each([
    ["nvme-id-ns-K4.json", { ...plain, lbaFormat: 4 }],
    ["nvme-id-ns-PI1.json", { ...plain, lbaFormat: 1, protection: 1 }],
    ["nvme-id-ns-EXT.json", { ...plain, lbaFormat: 2, extended: true }],
    ["nvme-id-ns-ZNS.json", { ...plain, lbaFormat: 0 }],
  ])("parseNamespaceFormat() reads %s", (name, format) => {
    expect(parseNamespaceFormat(fixture(name))).toEqual(format);
  });

  it.each([
    // As nvme-cli 1.x and 2.x print it for a controller that formats all namespaces at once.
    ['{"nsze":244190646,"nlbaf":1,"flbas":1,"fpi":0}', { ...plain, lbaFormat: 1 }],
    [
      '{"flbas":"0x71","dps":"0xb"}',
      { lbaFormat: 0x31, extended: true, protection: 3, protectionFirst: true },
    ],
  ])("parseNamespaceFormat() reads %s of other builds", (text, format) => {
    expect(parseNamespaceFormat(text)).toEqual(format);
  });
});

describe("answers of nvme-cli on which a format depends", () => {
  it.each([
    ['{"flbas":"1 (0x1)","dps":0}', "flbas"],
    ['{"flbas":null,"dps":0}', "flbas"],
    ['{"flbas":-1,"dps":0}', "flbas"],
    ['{"flbas":1,"dps":"type 1"}', "dps"],
  ])("parseNamespaceFormat() takes no number for 0 that it cannot read: %s", (text, name) => {
    expect(() => parseNamespaceFormat(text)).toThrow(`${name} is no number in`);
  });

  it.each([
    ['{"oacs":"many","fna":0}', "oacs"],
    ['{"oacs":2,"fna":{}}', "fna"],
  ])("parseFormatSupport() takes no number for 0 that it cannot read: %s", (text, name) => {
    expect(() => parseFormatSupport(text)).toThrow(`${name} is no number in`);
  });

  it("parseNamespaceFormat() and parseFormatSupport() read numbers with their bits beside them", () => {
    expect(parseNamespaceFormat('{"flbas":{"value":17},"dps":{"value":1}}')).toEqual({
      lbaFormat: 1,
      extended: true,
      protection: 1,
      protectionFirst: false,
    });
    expect(parseFormatSupport('{"oacs":{"value":266},"fna":{"value":1}}')).toEqual({
      canFormat: true,
      formatsAll: true,
      managesNamespaces: true,
    });
  });
});

describe("other answers of nvme-cli", () => {
  it("parseFormatSupport() reads oacs and fna", () => {
    const support = { canFormat: true, formatsAll: false, managesNamespaces: true };
    for (const name of ["nvme-id-ctrl-ZERO.json", "nvme-id-ctrl-MP.json", "../nvme-cli-2.3-id-ctrl.json"])
      expect(parseFormatSupport(fixture(name))).toEqual(support);
    expect(parseFormatSupport('{"oacs":7,"fna":1,"nn":1}')).toEqual({
      canFormat: true,
      formatsAll: true,
      managesNamespaces: false,
    });
  });

  it("parseNamespaceIds() reads the ids of all namespaces, those that are detached too", () => {
    expect(parseNamespaceIds(fixture("nvme-list-ns-all-MP.json"))).toEqual([1, 3, 4]);
  });

  it("parseFormatProgress() reads the percentage that is left", () => {
    expect(parseFormatProgress('{"fpi":0}')).toBeUndefined();
    expect(parseFormatProgress('{"fpi":192}')).toBeCloseTo(0.36);
  });

  it.each([
    ["323", 323],
    ['"323"', 323],
    ['"323 K"', 323],
    ['"50 C"', 323],
    ['"50\u00b0C (323 Kelvin)"', 323],
    ['"122 F"', 323],
    ["50", 323],
    ["0", 0],
  ])("parseSmartLog() reads the temperature %s as %i K", (value, kelvin) => {
    const text = fixture("nvme-smart-log-MP.json").replace('"temperature":323', `"temperature":${value}`);
    expect(parseSmartLog(text)).toMatchObject({ temperature: kelvin, powerCycles: 0n });
  });

  it("parseSmartLog() knows the other names and digits of some builds", () => {
    const text = '{"temperature":300,"percentage_used":7,"media_errors":"1,234","power_cycles":"0x10"}';
    expect(parseSmartLog(text)).toMatchObject({ percentUsed: 7, mediaErrors: 1234n, powerCycles: 16n });
  });
});

describe("NvmeCli", () => {
  const VERSION = "nvme version 1.12\n";
  const cli = (beginning: string, reply: FakeReply) => {
    const runner = new FakeCommandRunner().on("nvme version", VERSION).on(beginning, reply);
    return { nvme: new NvmeCli(runner), runner };
  };

  it.each<[string, FakeReply, string]>([
    ["text", "NVME Identify Namespace 1:\nnsze : 0x1", '"NVME Identify Namespace 1: nsze : 0x1" is not JSON'],
    ["JSON that is cut off", '{"nsze":1,', '"{"nsze":1," is not JSON'],
    ["another object", '{"error":"unknown"}', 'there is no flbas in "{"error":"unknown"}"'],
    ["nothing", "", "it is empty"],
    [
      "a failure",
      { exitCode: 1, stderr: "invalid option --output-format" },
      "invalid option --output-format",
    ],
    ["a signal", { exitCode: null, signal: "SIGSEGV" }, "SIGSEGV ended it"],
  ])("namespaceFormat() names tool, version and command for %s", async (_, reply, reason) => {
    const { nvme } = cli("nvme id-ns", reply);
    await expect(nvme.namespaceFormat("/dev/nvme0n1", {})).rejects.toMatchObject({
      code: FaultCode.bdevToolFailed,
      description:
        'cannot use the answer of "nvme id-ns --output-format=json /dev/nvme0n1" (nvme version 1.12)',
      reason,
    });
  });

  it("namespaceFormat() names the tool when its version is unknown", async () => {
    const runner = new FakeCommandRunner()
      .on("nvme version", { exitCode: 1 })
      .on("nvme id-ns", { exitCode: 1, stderr: "x" });
    await expect(new NvmeCli(runner).namespaceFormat("/dev/nvme0n1", {})).rejects.toMatchObject({
      description: expect.stringContaining("(nvme of unknown version)"),
    });
  });

  it("format() passes block format, metadata and protection information as they are", async () => {
    const { nvme, runner } = cli("nvme format", fixture("nvme-format-ses1.txt"));
    await nvme.format("/dev/nvme7n1", parseNamespaceFormat(fixture("nvme-id-ns-PI1.json")), {});
    await nvme.format("/dev/nvme3n1", parseNamespaceFormat(fixture("nvme-id-ns-EXT.json")), {});
    expect(runner.ran.map((line) => line.replace(/ --timeout=\d+/, ""))).toEqual([
      "nvme format /dev/nvme7n1 --ses=0 --lbaf=1 --ms=0 --pi=1 --pil=0 --force",
      "nvme format /dev/nvme3n1 --ses=0 --lbaf=2 --ms=1 --pi=0 --pil=0 --force",
    ]);
  });

  it("format() names the signal that ended nvme-cli", async () => {
    const { nvme } = cli("nvme format", { exitCode: null, signal: "SIGKILL" });
    const format = parseNamespaceFormat(fixture("nvme-id-ns-K4.json"));
    await expect(nvme.format("/dev/nvme2n1", format, {})).rejects.toMatchObject({
      code: FaultCode.bdevToolFailed,
      reason: "SIGKILL ended it",
    });
  });
});
