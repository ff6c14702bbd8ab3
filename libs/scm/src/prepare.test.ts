import { readFileSync } from "node:fs";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeCommandRunner, FakeMountTable } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { parseNamespaceNames, parseRegions } from "./parse-ndctl.ts";
import { planPrepare } from "./plan-prepare.ts";
import { ScmProvider } from "./scm-provider.ts";
import type { ScmModule, ScmRegion } from "./scm-types.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const MiB = 1024 * 1024;

describe("parseRegions", () => {
  it("reads what is free", () => {
    const full = { size: 536870912n, available: 0n, largestExtent: 0n };
    const free = { size: 536870912n, available: 536870912n, largestExtent: 536870912n };
    expect(parseRegions(fixture("ndctl-76.1-list-DRNi.json"))).toEqual([
      { dev: "region0", ...full },
      { dev: "region1", ...full },
    ]);
    expect(parseRegions(fixture("ndctl-76.1-list-R-free.json"))).toEqual([
      { dev: "region0", ...free },
      { dev: "region1", ...free },
    ]);
    expect(parseRegions("")).toEqual([]);
  });
});

describe("parseNamespaceNames", () => {
  it("knows seeds from namespaces", () => {
    expect(
      parseNamespaceNames(
        '[{"dev":"namespace1.1","size":0},{"dev":"namespace1.0","mode":"devdax","size":1}]',
      ),
    ).toEqual(["namespace1.0"]);
  });
});

describe("planPrepare", () => {
  const module = {} as ScmModule;
  const region = (dev: string, free: number): ScmRegion => ({
    dev,
    size: 512n * 1024n * 1024n,
    available: BigInt(free * MiB),
    largestExtent: BigInt(free * MiB),
  });

  it.each([
    ["no modules, no regions", [], [], { kind: "nothing" }],
    ["modules without regions", [module], [], { kind: "create-goal" }],
    [
      "a free region",
      [module],
      [region("a", 512)],
      { kind: "create-namespaces", regions: [region("a", 512)] },
    ],
    [
      "no modules, a free region",
      [],
      [region("a", 512)],
      { kind: "create-namespaces", regions: [region("a", 512)] },
    ],
    [
      "one full, one partly free",
      [module],
      [region("a", 0), region("b", 100)],
      { kind: "create-namespaces", regions: [region("b", 100)] },
    ],
    ["full regions", [module], [region("a", 0), region("b", 0)], { kind: "list" }],
    ["nothing but left-overs", [module], [region("a", 15)], { kind: "list" }],
  ])("%s", (_, modules, regions, expected) => {
    expect(planPrepare({ modules, regions })).toEqual(expected);
  });
});

/** A machine with regions of 512 MiB whose namespaces ndctl makes and destroys. */
function machine(options: { regions: number; modules?: boolean; privileged?: boolean }) {
  const taken = new Map<string, string[]>();
  for (let index = 0; index < options.regions; index += 1) taken.set(`region${index}`, []);
  const runner = new FakeCommandRunner()
    .on(
      "ipmctl show",
      options.modules === true
        ? fixture("ipmctl-02.00.00.3825-show-dimm.xml")
        : { exitCode: 1, stdout: fixture("ipmctl-03.00.00.0468-no-modules.txt") },
    )
    .on("ipmctl delete -goal", "")
    .on("ipmctl create -f -goal", "")
    .on("ndctl list --regions", () =>
      JSON.stringify(
        [...taken].map(([dev, names]) => ({
          dev,
          type: "pmem",
          size: 512 * MiB,
          available_size: names.length > 0 ? 0 : 512 * MiB,
          max_available_extent: names.length > 0 ? 0 : 512 * MiB,
        })),
      ),
    )
    .on("ndctl list --namespaces", () =>
      JSON.stringify(
        [...taken.values()].flat().map((dev, index) => ({
          dev,
          size: 502 * MiB,
          blockdev: `pmem${index}`,
          uuid: `uuid-${index}`,
          numa_node: index,
        })),
      ),
    )
    .on("ndctl create-namespace", (argv) => {
      const region = argv.find((word) => word.startsWith("--region="))?.slice("--region=".length) ?? "";
      taken.get(region)?.push(region.replace("region", "namespace"));
      return "{}";
    })
    .on("wipefs --all", "")
    .on("ndctl disable-namespace", "")
    .on("ndctl destroy-namespace", (argv) => {
      for (const names of taken.values())
        names.splice(0, names.length, ...names.filter((n) => n !== argv[2]));
      return "";
    });
  const mounts = new FakeMountTable({ privileged: options.privileged ?? true });
  mounts.answer(runner);
  return { runner, mounts, scm: new ScmProvider({ runner, mounts, log: silentLogger }) };
}

describe("prepare", () => {
  it("fills every region, and lists what there is when it is repeated", async () => {
    const { scm, runner } = machine({ regions: 2 });
    const first = await scm.prepare();
    expect(first).toMatchObject({
      kind: "done",
      namespaces: [
        { blockdev: "pmem0", numaNode: 0 },
        { blockdev: "pmem1", numaNode: 1 },
      ],
    });
    const before = runner.ran.length;
    expect(await scm.prepare()).toEqual(first);
    expect(runner.ran.slice(before).filter((line) => line.includes("create"))).toEqual([]);
  });

  it("asks for AppDirect where modules have no regions", async () => {
    const { scm, runner } = machine({ regions: 0, modules: true });
    expect(await scm.prepare()).toEqual({ kind: "reboot-needed" });
    expect(runner.ran.slice(-2)).toEqual([
      "ipmctl delete -goal",
      "ipmctl create -f -goal PersistentMemoryType=AppDirect",
    ]);
  });

  it("takes it that there was no goal to delete", async () => {
    const { scm, runner } = machine({ regions: 0, modules: true });
    runner.on("ipmctl delete -goal", {
      exitCode: 1,
      stdout: "There are no goal configs defined in the system.",
    });
    expect(await scm.prepare()).toEqual({ kind: "reboot-needed" });
    runner.on("ipmctl create -f -goal", { exitCode: 1, stdout: "Create region configuration goal failed" });
    await expect(scm.prepare()).rejects.toMatchObject({ code: FaultCode.scmPrepareFailed });
  });

  it("needs ndctl, but not ipmctl", async () => {
    const { scm, runner } = machine({ regions: 1 });
    runner.missing("ipmctl");
    expect(await scm.prepare()).toMatchObject({ kind: "done" });
    runner.missing("ndctl");
    await expect(scm.prepare()).rejects.toMatchObject({
      code: FaultCode.missingSoftwareDependency,
      resolution: expect.stringContaining("apt-get install ndctl"),
    });
  });

  it("finds nothing to do without persistent memory", async () => {
    const { scm } = machine({ regions: 0 });
    expect(await scm.prepare()).toEqual({ kind: "no-scm" });
    expect(await scm.reset()).toEqual({ kind: "no-scm" });
  });

  it("ends when a region is full against its own word, or gets no fuller", async () => {
    const { scm, runner } = machine({ regions: 1 });
    runner.on("ndctl create-namespace", {
      exitCode: 237,
      stderr: "failed to create namespace: No space left on device",
    });
    expect(await scm.prepare()).toEqual({ kind: "done", namespaces: [] });
    runner.on("ndctl create-namespace", "{}");
    expect(await scm.prepare()).toEqual({ kind: "done", namespaces: [] });
    runner.on("ndctl create-namespace", { exitCode: 1, stderr: "failed: Device or resource busy" });
    await expect(scm.prepare()).rejects.toMatchObject({ code: FaultCode.scmPrepareFailed });
  });

  it("is for root", async () => {
    const { scm, runner } = machine({ regions: 1, privileged: false });
    for (const attempt of [() => scm.prepare(), () => scm.reset()]) {
      await expect(attempt()).rejects.toMatchObject({ code: FaultCode.storageNotPrivileged });
    }
    expect(runner.ran).toEqual([]);
  });
});

describe("reset", () => {
  it("unmounts and destroys every namespace", async () => {
    const { scm, mounts, runner } = machine({ regions: 2 });
    await scm.prepare();
    mounts.mounted("/mnt/daos0", "/dev/pmem0", "ext4").mounted("/mnt/other", "/dev/sdb", "ext4");
    expect(await scm.reset()).toEqual({ kind: "done", namespaces: [] });
    expect(mounts.entries.map(({ mountPoint }) => mountPoint)).toEqual(["/mnt/other"]);
    expect(runner.ran.filter((line) => /wipefs|disable|destroy/.test(line))).toEqual([
      "wipefs --all /dev/pmem0",
      "wipefs --all /dev/pmem1",
      "ndctl disable-namespace namespace0",
      "ndctl destroy-namespace namespace0",
      "ndctl disable-namespace namespace1",
      "ndctl destroy-namespace namespace1",
    ]);
    expect(await scm.prepare()).toMatchObject({ kind: "done", namespaces: [{}, {}] });
  });

  it("makes modules ordinary memory", async () => {
    const { scm, runner } = machine({ regions: 1, modules: true });
    expect(await scm.reset()).toEqual({ kind: "reboot-needed" });
    expect(runner.ran.at(-1)).toBe("ipmctl create -f -goal MemoryMode=100");
  });

  it("destroys nothing that is in use", async () => {
    const { scm, mounts, runner } = machine({ regions: 1 });
    await scm.prepare();
    mounts.mounted("/mnt/daos0", "/dev/pmem0", "ext4");
    runner.on("umount", { exitCode: 32, stderr: "umount: /mnt/daos0: target is busy." });
    await expect(scm.reset()).rejects.toMatchObject({ code: FaultCode.scmMountFailed });
    expect(runner.ran.some((line) => line.includes("destroy"))).toBe(false);
  });
});
