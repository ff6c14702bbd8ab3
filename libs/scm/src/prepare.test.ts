import { readFileSync } from "node:fs";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import type { BlockClaim } from "@daos/sys";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { parseCxlMemory } from "./parse-cxl.ts";
import { parseAllNamespaces, parseRegions } from "./parse-ndctl.ts";
import { planPrepare } from "./plan-prepare.ts";
import { ScmProvider } from "./scm-provider.ts";
import type { ScmModule, ScmRegion } from "./scm-types.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const MiB = 1024 * 1024;

describe("parseRegions()", () => {
  it("reads the free space of each region", () => {
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

describe("parseAllNamespaces()", () => {
  it("leaves out the kernel's seeds", () => {
    expect(
      parseAllNamespaces(
        '[{"dev":"namespace1.1","size":0},{"dev":"namespace1.0","mode":"devdax","size":1}]',
      ).map(({ dev }) => dev),
    ).toEqual(["namespace1.0"]);
  });

  it.each(["ndctl-76.1-modes-list-Nv.json", "ndctl-76.1-modes-list-RNDiv.json"])(
    "reads every mode, with the uuid that identifies it, from %s",
    (name) => {
      const all = parseAllNamespaces(fixture(name));
      expect(all.map(({ dev, mode, blockdev }) => [dev, mode, blockdev])).toEqual([
        ["namespace0.0", "sector", "pmem0s"],
        ["namespace0.1", "devdax", undefined],
        ["namespace0.2", "raw", "pmem0.2"],
        ["namespace0.3", "fsdax", "pmem0.3"],
        ["namespace0.4", "fsdax", "pmem0.4"],
        ["namespace0.5", "fsdax", "pmem0.5"],
        ["namespace0.6", "fsdax", "pmem0.6"],
      ]);
      expect(all[3]?.uuid).toBe("a4353a8a-64a5-46d6-904b-1be941b568f9");
    },
  );

  it("reads a namespace without a label, and a namespace that the kernel uses as memory", () => {
    expect(parseAllNamespaces(fixture("ndctl-76.1-zoo-list-Nv.json"))).toMatchObject([
      { dev: "namespace2.0", mode: "raw", uuid: "" },
      { dev: "namespace3.0", mode: "fsdax" },
      { dev: "namespace4.0", mode: "fsdax" },
    ]);
    const ram =
      '{"dev":"namespace0.0","mode":"devdax","size":9,"daxregion":{"devices":[{"mode":"system-ram"}]}}';
    expect(parseAllNamespaces(ram)).toMatchObject([{ isSystemRam: true }]);
  });

  it("reads one namespace, a list of buses, and nothing", () => {
    expect(parseAllNamespaces(fixture("ndctl-76.1-list-N-fsdax-1G.json"))).toMatchObject([
      { blockdev: "pmem0" },
    ]);
    expect(parseAllNamespaces(fixture("ndctl-76.1-cxl-list-BDRNi.json"))).toEqual([]);
    expect(parseAllNamespaces(fixture("ndctl-76.1-zoo-list-B.json"))).toEqual([]);
    expect(parseAllNamespaces("")).toEqual([]);
  });
});

describe("parseRegions, with modules", () => {
  it("says why a region cannot be used", () => {
    const zoo = parseRegions(fixture("ndctl-76.1-zoo-list-RNDi.json"));
    expect(zoo.map(({ dev, problem }) => [dev, problem])).toEqual([
      ["region0", "it is read-only: the save function of nmem2 is not armed"],
      ["region1", undefined],
      ["region2", undefined],
      ["region3", undefined],
      ["region4", undefined],
    ]);
    expect(parseRegions(fixture("ndctl-76.1-zoo-list-R.json")).map(({ dev }) => dev)).toEqual(
      zoo.map(({ dev }) => dev),
    );
    expect(parseRegions('{"dev":"region0","type":"pmem","size":9,"state":"disabled"}')).toMatchObject([
      { problem: "it is disabled (ndctl enable-region)" },
    ]);
  });

  it("reads the region of CXL memory, inside its bus", () => {
    expect(parseRegions(fixture("ndctl-76.1-cxl-list-BDRNi.json"))).toMatchObject([
      { dev: "region0", available: 268435456n, problem: undefined },
    ]);
    expect(parseRegions(fixture("ndctl-76.1-cxl-list-BDRNi-no-region.json"))).toEqual([]);
  });
});

describe("parseRegions() and parseAllNamespaces(), given recorded output without namespaces,", () => {
  /** The fixture has several answers, each followed by its exit status. */
  const answers = (name: string) => fixture(name).split(/^(?:N )?rc=0\n/m);

  it("find nothing on a machine without a bus of persistent memory", () => {
    for (const answer of answers("ndctl-76.1-list-no-bus.txt")) {
      expect(parseAllNamespaces(answer)).toEqual([]);
      expect(parseRegions(answer)).toEqual([]);
    }
  });

  it("find no namespaces in regions in which none was made", () => {
    const [first = "", second = ""] = answers("ndctl-76.1-list-idle-regions.txt");
    expect(parseAllNamespaces(first)).toEqual([]);
    // The recording has the first lines of the regions only.
    expect(second).toContain('"dev":"region1"');
  });
});

describe("parseCxlMemory()", () => {
  it("finds the memory devices in ports and buses", () => {
    expect(parseCxlMemory(fixture("cxl-76.1-list-vvv.json"))).toEqual([
      { name: "mem0", persistentBytes: 268435456n },
    ]);
    expect(parseCxlMemory("")).toEqual([]);
    expect(parseCxlMemory('[{"memdev":"mem1","ram_size":9},{"memdev":"mem0","pmem_size":-1}]')).toEqual([]);
  });
});

describe("planPrepare()", () => {
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
function machine(options: {
  regions: number;
  modules?: boolean;
  privileged?: boolean;
  claims?: Readonly<Record<string, BlockClaim>>;
}) {
  const taken = new Map<string, string[]>();
  for (let index = 0; index < options.regions; index += 1) taken.set(`region${index}`, []);
  const runner = new FakeCommandRunner()
    .on(
      "ipmctl show",
      options.modules === true
        ? fixture("ipmctl-02.00.00.3825-show-dimm.xml")
        : { exitCode: 1, stdout: fixture("ipmctl-03.00.00.0468-no-modules.txt") },
    )
    .on("cxl list", "[\n]\n")
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
  const sys = new FakeSysTree();
  return {
    runner,
    mounts,
    sys,
    scm: new ScmProvider({
      runner,
      mounts,
      sys,
      log: silentLogger,
      claim: (device) => Promise.resolve(options.claims?.[device] ?? "free"),
    }),
  };
}

describe("ScmPreparer.prepare()", () => {
  it("fills every region, and lists the namespaces when it is repeated", async () => {
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

  it("accepts that there was no goal to delete", async () => {
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

  it("ends when a region is full although it reports free space, or when its free space stays the same", async () => {
    const { scm, runner } = machine({ regions: 1 });
    runner.on("ndctl create-namespace", {
      exitCode: 237,
      stderr: "failed to create namespace: No space left on device",
    });
    expect(await scm.prepare()).toMatchObject({ kind: "done", namespaces: [] });
    runner.on("ndctl create-namespace", "{}");
    expect(await scm.prepare()).toMatchObject({ kind: "done", namespaces: [] });
    runner.on("ndctl create-namespace", { exitCode: 1, stderr: "failed: Device or resource busy" });
    await expect(scm.prepare()).rejects.toMatchObject({ code: FaultCode.scmPrepareFailed });
  });

  it("treats free space that is too small for the alignment as no space", async () => {
    const { scm, runner } = machine({ regions: 1 });
    runner.on("ndctl create-namespace", {
      exitCode: 1,
      stderr: "failed to create namespace: Resource temporarily unavailable",
    });
    expect(await scm.prepare()).toMatchObject({ kind: "done" });
  });

  it("prepares the other regions when one fails, and fails at the end", async () => {
    const { scm, runner } = machine({ regions: 2 });
    runner.on("ndctl create-namespace --mode=fsdax --region=region0", { exitCode: 1, stderr: "I/O error" });
    await expect(scm.prepare()).rejects.toMatchObject({
      code: FaultCode.scmPrepareFailed,
      reason: "I/O error",
    });
    expect(runner.ran.filter((line) => line.includes("--region=region1"))).toHaveLength(1);
  });

  it("gives the reason for each region and namespace that it leaves alone", async () => {
    const { scm, runner } = machine({ regions: 0 });
    runner.on("ndctl list --regions", fixture("ndctl-76.1-zoo-list-RNDi.json"));
    runner.on("ndctl list --namespaces", fixture("ndctl-76.1-zoo-list-Nv.json"));
    const result = await scm.prepare();
    expect(result).toMatchObject({
      notes: [
        "region0 is left as it is: it is read-only: the save function of nmem2 is not armed",
        "region1 has 512 MiB left, on which ndctl makes no namespace",
        expect.stringContaining("namespace2.0 is raw, which cannot be mounted with dax"),
      ],
    });
    expect(runner.ran.filter((line) => line.includes("create-namespace"))).toEqual([
      "ndctl create-namespace --mode=fsdax --region=region1",
    ]);
  });

  it("names the reason why no engine can use disabled namespaces and those that are ordinary memory", async () => {
    const { scm, runner } = machine({ regions: 1 });
    runner.on(
      "ndctl list --namespaces",
      JSON.stringify([
        { dev: "namespace0.0", mode: "raw", size: 9, state: "disabled" },
        {
          dev: "namespace0.1",
          mode: "devdax",
          size: 9,
          daxregion: { devices: [{ chardev: "dax0.1", mode: "system-ram" }] },
        },
      ]),
    );
    expect(await scm.prepare()).toMatchObject({
      notes: [
        'namespace0.0 is disabled: "ndctl enable-namespace namespace0.0" makes it usable',
        "namespace0.1 is left as it is: the kernel uses it as ordinary memory",
      ],
    });
  });

  it("lists the namespace of a region whose rest is too small for another, also when it is repeated", async () => {
    const { scm, runner } = machine({ regions: 0 });
    runner.on(
      "ndctl list --regions",
      '[{"dev":"region0","size":270582939648,"align":16777216,"available_size":33554432,"max_available_extent":33554432,"type":"pmem","iset_id":1}]',
    );
    runner.on(
      "ndctl list --namespaces",
      '{"dev":"namespace0.0","mode":"fsdax","map":"dev","size":263179993088,"uuid":"91f66011-9d7d-4bbc-839a-2ec4697ab443","blockdev":"pmem0","numa_node":0}',
    );
    runner.on("ndctl create-namespace", {
      exitCode: 1,
      stderr: "failed to create namespace: Resource temporarily unavailable\n",
    });
    const first = await scm.prepare();
    expect(first).toMatchObject({
      kind: "done",
      namespaces: [{ blockdev: "pmem0" }],
      notes: ["region0 has 32 MiB left, on which ndctl makes no namespace"],
    });
    expect(await scm.prepare()).toEqual(first);
  });

  it("says how CXL memory without a region becomes persistent memory", async () => {
    const { scm, runner } = machine({ regions: 0 });
    runner.on("ndctl list --regions", fixture("ndctl-76.1-cxl-list-BDRNi-no-region.json"));
    runner.on("cxl list", fixture("cxl-76.1-list-vvv.json"));
    expect(await scm.prepare()).toEqual({
      kind: "no-scm",
      notes: [
        'CXL memory mem0 has 256 MiB of persistent memory without a region: make one with "cxl create-region -t pmem -m mem0", then repeat',
      ],
    });
    for (const answer of [{ exitCode: 1, stderr: "cxl: no devices" }, "cxl is not for you"]) {
      runner.on("cxl list", answer);
      expect(await scm.prepare()).toEqual({ kind: "no-scm" });
    }
    runner.missing("cxl");
    expect(await scm.prepare()).toEqual({ kind: "no-scm" });
  });

  it("fails without root", async () => {
    const { scm, runner } = machine({ regions: 1, privileged: false });
    for (const attempt of [() => scm.prepare(), () => scm.reset()]) {
      await expect(attempt()).rejects.toMatchObject({ code: FaultCode.storageNotPrivileged });
    }
    expect(runner.ran).toEqual([]);
  });
});

describe("ScmPreparer.reset()", () => {
  it("unmounts and destroys every namespace", async () => {
    const { scm, mounts, runner } = machine({ regions: 2 });
    await scm.prepare();
    mounts.mounted("/mnt/daos0", "/dev/pmem0", "ext4").mounted("/mnt/other", "/dev/sdb", "ext4");
    expect(await scm.reset()).toEqual({
      kind: "done",
      namespaces: [],
      notes: [
        "destroyed namespace0 (uuid uuid-0, mode unknown, 502 MiB)",
        "destroyed namespace1 (uuid uuid-1, mode unknown, 502 MiB)",
      ],
    });
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

  it.each<[string, (mounts: FakeMountTable) => void, BlockClaim, string]>([
    [
      "mounted as another file system",
      (mounts) => mounts.mounted("/srv/home", "/dev/pmem1", "xfs"),
      "free",
      "/dev/pmem1 is mounted at /srv/home as xfs",
    ],
    ["in use by the kernel", () => {}, "claimed", "/dev/pmem1 is in use"],
  ])("touches nothing when a namespace is %s", async (_name, use, claim, text) => {
    const { scm, mounts, runner } = machine({ regions: 2, claims: { "/dev/pmem1": claim } });
    await scm.prepare();
    mounts.mounted("/mnt/daos0", "/dev/pmem0", "ext4");
    use(mounts);
    const before = [...mounts.entries];
    await expect(scm.reset()).rejects.toMatchObject({
      code: FaultCode.scmPrepareFailed,
      description: expect.stringContaining(text),
    });
    expect(mounts.entries).toEqual(before);
    expect(runner.ran.filter((line) => /umount|wipefs|disable|destroy/.test(line))).toEqual([]);
  });

  it("touches nothing when a namespace is the backing of a loop device, or exported", async () => {
    const { scm, runner, sys } = machine({ regions: 2 });
    await scm.prepare();
    sys.files({
      "/sys/class/block/loop0/loop/backing_file": "/dev/pmem0",
      "/sys/kernel/config/nvmet/subsystems/nqn.x/namespaces/1/device_path": "/dev/pmem1",
    });
    await expect(scm.reset()).rejects.toMatchObject({
      code: FaultCode.scmPrepareFailed,
      description: "cannot reset SCM: pmem0 is the backing of loop0; pmem1 is exported as nqn.x (nvmet)",
    });
    expect(runner.ran.filter((line) => /umount|wipefs|disable|destroy/.test(line))).toEqual([]);
  });

  it("touches nothing when a process has a namespace open", async () => {
    const { scm, runner, sys } = machine({ regions: 2 });
    await scm.prepare();
    runner.on("ndctl list --namespaces", fixture("ndctl-76.1-modes-list-Nv.json"));
    sys.files({ "/dev/dax0.1": "", "/usr/bin/vmm": "", "/dev/pmem0.3": "", "/usr/bin/dd": "" });
    sys.link("/proc/77/fd/5", "/dev/dax0.1").link("/proc/77/exe", "/usr/bin/vmm");
    sys.link("/proc/78/fd/1", "/dev/pmem0.3").link("/proc/78/exe", "/usr/bin/dd");
    await expect(scm.reset()).rejects.toMatchObject({
      code: FaultCode.scmPrepareFailed,
      description:
        "cannot reset SCM: process 77 (vmm) has /dev/dax0.1 open; process 78 (dd) has /dev/pmem0.3 open",
    });
    expect(runner.ran.filter((line) => /umount|wipefs|disable|destroy/.test(line))).toEqual([]);
  });

  it("sets the modules to become ordinary memory", async () => {
    const { scm, runner } = machine({ regions: 1, modules: true });
    expect(await scm.reset()).toMatchObject({ kind: "reboot-needed" });
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

describe("ScmProvider, when a tool answers what cannot be read,", () => {
  it.each([
    ["ndctl list", "libndctl: warning\n[]", "ndctl list --regions --dimms --idle"],
    ["ipmctl show", "<Error/>", "ipmctl show -o nvmxml"],
  ])("prepare() names the command and its answer: %s", async (tool, answer, command) => {
    const runner = new FakeCommandRunner()
      .on("ipmctl show", "No PMem modules in the system\n")
      .on("ndctl list", "[]")
      .on(tool, answer);
    const mounts = new FakeMountTable({ privileged: true });
    const scm = new ScmProvider({ runner, mounts, sys: new FakeSysTree(), log: silentLogger });
    await expect(scm.prepare()).rejects.toMatchObject({
      code: FaultCode.scmToolFailed,
      description: expect.stringContaining(`cannot run "${command}`),
      reason: expect.stringContaining(answer.slice(0, 8)),
    });
  });
});
