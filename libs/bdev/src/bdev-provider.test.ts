import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeCommandRunner, FakeSysTree } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BdevProvider } from "./bdev-provider.ts";
import type { BdevStorage } from "./bdev-types.ts";
import { fileCache } from "./controller-cache.ts";
import { DeviceUses } from "./device-use.ts";
import { HealthHistory } from "./health-history.ts";
import { KernelBackend } from "./kernel-backend.ts";
import type { DeviceProgress } from "./progress-meter.ts";
import { type FakeController, FakeMachine, type FakeMachineOptions } from "./testing/fake-machine.ts";

const MiB = 1024 * 1024;
const A = "0000:22:00.0";
const B = "0000:42:00.0";
const TWO: readonly FakeController[] = [
  { address: B, name: "nvme1", serial: "VMNVME0001", numaNode: 1, size: 40 * MiB },
  { address: A, name: "nvme0", serial: "VMNVME0000", numaNode: 0, size: MiB },
];

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-bdev-"));
});
afterEach(() => rm(directory, { recursive: true }));

function setUp(options: Partial<FakeMachineOptions> = {}) {
  const machine = new FakeMachine({ controllers: TWO, devDirectory: directory, ...options });
  const { sys, runner, mounts } = machine;
  const uses = new DeviceUses({ sys, mounts, runner, claim: () => Promise.resolve("free") });
  const backends = [
    new KernelBackend({ sys, runner, mounts, uses, devDirectory: directory, log: silentLogger }),
  ];
  let time = 0;
  const now = () => (time += 100);
  const bdev = new BdevProvider({ sys, runner, mounts, backends, log: silentLogger, now });
  return { machine, sys, runner, mounts, backends, bdev };
}

const nvme = (...list: string[]): BdevStorage => ({ class: "nvme", list, number: 0, sizeGB: 0 });

describe("BdevProvider.scan()", () => {
  it("finds the controllers of every driver", async () => {
    const { bdev } = setUp();
    expect(await bdev.scan()).toEqual([
      {
        pciAddress: A,
        pciId: "1b36:0010",
        model: "QEMU NVMe Ctrl",
        serial: "VMNVME0000",
        firmware: "7.2.22",
        numaNode: 0,
        driver: "nvme",
        namespaces: [{ id: 1, size: BigInt(MiB) }],
        health: expect.objectContaining({ temperature: 323, powerCycles: 3n }),
        source: "kernel",
      },
      expect.objectContaining({ pciAddress: B, serial: "VMNVME0001", numaNode: 1 }),
    ]);
  });

  it("has no controllers on a machine without a PCI bus", async () => {
    const runner = new FakeCommandRunner();
    const bdev = new BdevProvider({ runner, sys: new FakeSysTree(), log: silentLogger });
    expect(await bdev.scan()).toEqual([]);
  });

  it.each([
    ["is not installed", (runner: FakeCommandRunner) => runner.missing("nvme")],
    ["fails", (runner: FakeCommandRunner) => runner.on("nvme smart-log", { exitCode: 1, stderr: "EACCES" })],
    ["prints garbage", (runner: FakeCommandRunner) => runner.on("nvme smart-log", "Usage: nvme")],
  ])("shows no health when nvme-cli %s", async (_, prepare) => {
    const { bdev, runner } = setUp();
    prepare(runner);
    expect((await bdev.scan()).map(({ health }) => health)).toEqual([undefined, undefined]);
  });

  it("describes a controller that was never identified by its PCI id", async () => {
    const { bdev, sys, machine } = setUp();
    machine.modules.add("vfio-pci");
    sys.files({ [`/sys/bus/pci/devices/${A}/driver_override`]: "vfio-pci" });
    await sys.write("/sys/bus/pci/drivers/nvme/unbind", A);
    await sys.write("/sys/bus/pci/drivers_probe", A);
    expect((await bdev.scan())[0]).toMatchObject({
      pciAddress: A,
      model: "PCI 1b36:0010",
      serial: "",
      driver: "vfio-pci",
      namespaces: [],
      source: "pci",
    });
  });

  it("keeps identities across processes, but not for another device in the slot", async () => {
    const { machine, sys, runner, mounts, backends, bdev: first } = setUp();
    const cache = fileCache(join(directory, "state", "controllers.json"));
    const options = { sys, runner, mounts, backends, log: silentLogger, cache };
    await first.prepare({ hugepages: 2 });
    await first.reset();
    await new BdevProvider(options).prepare({ hugepages: 2 });
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    const [remembered] = await new BdevProvider(options).scan();
    expect(remembered).toMatchObject({
      serial: "VMNVME0000",
      namespaces: [{ id: 1, size: BigInt(MiB) }],
      health: { powerCycles: 3n },
      driver: "vfio-pci",
      source: "last-known",
    });
    sys.files({ [`/sys/bus/pci/devices/${A}/device`]: "0x0011" });
    expect((await new BdevProvider(options).scan())[0]).toMatchObject({ serial: "", source: "pci" });
  });

  it("adds to the history of every device, and continues when the history cannot be written", async () => {
    const { sys, runner, mounts, backends } = setUp();
    const options = { sys, runner, mounts, backends, log: silentLogger };
    const history = new HealthHistory({ directory: join(directory, "health") });
    await new BdevProvider({ ...options, history }).scan();
    expect(await history.read("VMNVME0001")).toMatchObject([{ temperature: 323, warnings: 0 }]);
    await writeFile(join(directory, "file"), "");
    const broken = new HealthHistory({ directory: join(directory, "file") });
    expect(await new BdevProvider({ ...options, history: broken }).scan()).toHaveLength(2);
  });

  it("keeps one history of a drive with two controllers, which have one serial number", async () => {
    const { sys, runner, mounts, backends } = setUp();
    const history = new HealthHistory({ directory: join(directory, "health") });
    const [first] = await new BdevProvider({ sys, runner, mounts, backends, log: silentLogger }).scan();
    if (first?.health === undefined) throw new Error("not asked");
    const other = { ...first, pciAddress: B, health: { ...first.health, temperature: 1 } };
    await history.record([first, other], new Date());
    await history.record([first, other], new Date());
    expect((await history.read(first.serial)).map(({ temperature }) => temperature)).toEqual([323, 323]);
  });

  it("continues the history of a device when the clock is set back, and after a sample of the future", async () => {
    const { sys, runner, mounts, backends } = setUp();
    const history = new HealthHistory({ directory: join(directory, "health") });
    const [first] = await new BdevProvider({ sys, runner, mounts, backends, log: silentLogger }).scan();
    if (first?.health === undefined) throw new Error("not asked");
    for (const time of ["2038-01-01T00:00Z", "2038-01-01T02:00Z", "2026-01-01T00:00Z", "2026-01-01T02:00Z"])
      await history.record([first], new Date(time));
    expect((await history.read(first.serial)).map(({ time }) => time.slice(0, 13))).toEqual([
      "2038-01-01T00",
      "2038-01-01T02",
      "2026-01-01T00",
      "2026-01-01T02",
    ]);
  });

  it("reads the cache of another process, and does not repeat it in its own", async () => {
    const { sys, runner, mounts, backends, machine } = setUp();
    const roots = join(directory, "root.json");
    const options = { sys, runner, mounts, backends, log: silentLogger };
    await new BdevProvider({ ...options, cache: fileCache(roots) }).prepare({ hugepages: 2 });
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    const cache = fileCache(join(directory, "own.json"), { also: [roots, join(directory, "none")] });
    expect((await new BdevProvider({ ...options, cache }).scan())[0]).toMatchObject({
      serial: "VMNVME0000",
      source: "last-known",
    });
  });

  it("ignores a damaged cache", async () => {
    const { sys, runner, mounts, backends } = setUp();
    const path = join(directory, "controllers.json");
    for (const text of ["{", "[{}]", "{}", ""]) {
      await writeFile(path, text);
      const cache = fileCache(path);
      const bdev = new BdevProvider({ sys, runner, mounts, backends, log: silentLogger, cache });
      expect(await bdev.scan()).toHaveLength(2);
    }
  });
});

describe("BdevProvider.scan(), with a state directory that cannot be used,", () => {
  it.each([
    ["is below a file", (path: string) => writeFile(path, ""), "controllers.json"],
    ["has a directory in the place of the cache", (path: string) => mkdir(path), ""],
  ])("finds the controllers when it %s", async (_, make, name) => {
    const { sys, runner, mounts, backends } = setUp();
    const path = join(directory, "state");
    await make(path);
    const cache = fileCache(join(path, name));
    const bdev = new BdevProvider({ sys, runner, mounts, backends, log: silentLogger, cache });
    expect(await bdev.scan()).toHaveLength(2);
  });
});

describe("BdevProvider.check()", () => {
  it("names every controller that is missing, and those that exist", async () => {
    const { bdev } = setUp();
    await bdev.check(nvme(A, "42:00.0"));
    await expect(bdev.check(nvme(A, "0000:81:00.0", "0000:82:00.0"))).rejects.toMatchObject({
      code: FaultCode.bdevMissingDevice,
      description: `cannot use NVMe controllers: there is none at 0000:81:00.0, 0000:82:00.0 (found: ${A}, ${B})`,
      resolution: expect.stringContaining("storage prepare"),
    });
  });

  it("has nothing to check for other classes", async () => {
    const { bdev } = setUp();
    await bdev.check({ class: "file", list: ["/tmp/x"], number: 0, sizeGB: 1 });
  });
});

describe("BdevProvider.format()", () => {
  const fill = async (machine: FakeMachine) => {
    for (const { name, size } of TWO) await writeFile(machine.device(name), Buffer.alloc(size, 0xa5));
  };
  const isAll = (value: number, data: Buffer) => data.equals(Buffer.alloc(data.length, value));
  const isZero = async (machine: FakeMachine, name: string) => isAll(0, await readFile(machine.device(name)));

  it.each<[BdevStorage["class"], readonly string[]]>([
    ["kdev", ["/dev/sdb", "/dev/sdc"]],
    ["file", ["/tmp/a"]],
    ["malloc", []],
  ])("reports class %s as done", async (kind, list) => {
    const { bdev, runner } = setUp();
    const results = await bdev.format({ class: kind, list, number: 1, sizeGB: 1 });
    expect(results).toEqual(list.map((device) => ({ device })));
    expect(runner.ran).toEqual([]);
  });

  it("wipes every controller, with progress up to the end", async () => {
    const { bdev, machine } = setUp();
    await fill(machine);
    const progress: DeviceProgress[] = [];
    const results = await bdev.format(nvme(A, B), { onProgress: (entry) => progress.push(entry) });
    expect(results).toEqual([{ device: A }, { device: B }]);
    expect([await isZero(machine, "nvme0"), await isZero(machine, "nvme1")]).toEqual([true, true]);
    for (const device of [A, B]) {
      const own = progress.filter((entry) => entry.device === device);
      const fractions = own.map(({ fraction }) => fraction);
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      expect(own[0]).toMatchObject({ step: "format", fraction: 0, remainingMs: undefined });
      expect(own.at(-1)).toMatchObject({ step: "done", fraction: 1, remainingMs: 0 });
    }
  });

  it.each([
    ["knows no format", (runner: FakeCommandRunner) => runner.on("nvme id-ctrl", '{"oacs":0}')],
    ["says it formatted but did not", (runner: FakeCommandRunner) => runner.on("nvme format", "Success")],
    [
      "cannot discard either",
      (runner: FakeCommandRunner) =>
        runner.on("nvme id-ctrl", '{"oacs":0}').on("blkdiscard", { exitCode: 1, stderr: "not supported" }),
    ],
  ])("overwrites both ends of a controller that %s", async (_, prepare) => {
    const { bdev, machine, runner } = setUp();
    await fill(machine);
    prepare(runner);
    expect(await bdev.format(nvme(A, B))).toEqual([{ device: A }, { device: B }]);
    expect(await isZero(machine, "nvme0")).toBe(true);
    const data = await readFile(machine.device("nvme1"));
    expect(isAll(0, data.subarray(0, 16 * MiB))).toBe(true);
    expect(isAll(0xa5, data.subarray(16 * MiB, 24 * MiB))).toBe(true);
    expect(isAll(0, data.subarray(24 * MiB))).toBe(true);
  });

  it("returns a fault for each device that fails, and formats the others", async () => {
    const { bdev, machine, runner } = setUp();
    await fill(machine);
    const succeed = async (path: string) => {
      await writeFile(path, Buffer.alloc(MiB));
      return "Success";
    };
    runner.on("nvme format", (argv) =>
      argv[2]?.endsWith("nvme1n1") === true
        ? { exitCode: 1, stderr: "NVMe status: Format in Progress(0x84)" }
        : succeed(argv[2] ?? ""),
    );
    expect(await bdev.format(nvme("0000:81:00.0", B, A))).toEqual([
      { device: "0000:81:00.0", fault: expect.objectContaining({ code: FaultCode.bdevMissingDevice }) },
      {
        device: B,
        fault: expect.objectContaining({
          code: FaultCode.bdevFormatFailed,
          reason: "NVMe status: Format in Progress(0x84)",
        }),
      },
      { device: A },
    ]);
  });

  it("reports a controller that vanishes during the format", async () => {
    const { bdev, machine, runner } = setUp();
    await fill(machine);
    runner.on("nvme format", () => {
      machine.unplug(A);
      return { exitCode: 1, stderr: "No such device" };
    });
    expect(await bdev.format(nvme(A))).toEqual([
      { device: A, fault: expect.objectContaining({ code: FaultCode.bdevVanished }) },
    ]);
  });

  it("refuses controllers that are in use", async () => {
    const { bdev, machine, runner, mounts } = setUp();
    await fill(machine);
    mounts.mounted("/home", "/dev/nvme0n1", "ext4");
    expect(await bdev.format(nvme(A))).toEqual([
      {
        device: A,
        fault: expect.objectContaining({
          code: FaultCode.bdevInUse,
          description: `cannot format the NVMe controller ${A}: nvme0n1 is mounted at /home`,
        }),
      },
    ]);
    expect(runner.ran.some((line) => line.startsWith("nvme format"))).toBe(false);
  });

  it("takes a controller from its user-space driver and returns it", async () => {
    const { bdev, machine } = setUp();
    await fill(machine);
    await bdev.prepare({ hugepages: 2 });
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    expect(await bdev.format(nvme(A))).toEqual([{ device: A }]);
    expect(await isZero(machine, "nvme0")).toBe(true);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
  });

  it("returns a controller to its user-space driver when the format fails", async () => {
    const { bdev, machine, runner } = setUp();
    await fill(machine);
    await bdev.prepare({ hugepages: 2 });
    runner.on("nvme format", { exitCode: 1, stderr: "Internal Error" });
    expect(await bdev.format(nvme(A))).toMatchObject([{ fault: { code: FaultCode.bdevFormatFailed } }]);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
  });

  it("ends when its signal aborts", async () => {
    const { bdev, machine, runner } = setUp();
    await fill(machine);
    const controller = new AbortController();
    runner.on("nvme format", () => {
      controller.abort("stop");
      throw controller.signal.reason;
    });
    await expect(bdev.format(nvme(A, B), { signal: controller.signal })).rejects.toBe("stop");
  });

  it("works on all controllers at the same time", async () => {
    const { bdev, machine, runner } = setUp();
    await fill(machine);
    let running = 0;
    let most = 0;
    const all = Promise.withResolvers<void>();
    runner.on("nvme format", async (argv) => {
      running += 1;
      most = Math.max(most, running);
      if (running === TWO.length) all.resolve();
      await all.promise;
      await writeFile(argv[2] ?? "", Buffer.alloc(40 * MiB));
      return "Success";
    });
    expect(await bdev.format(nvme(A, B))).toHaveLength(2);
    expect(most).toBe(2);
  });
});
