import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BdevPreparer } from "./bdev-preparer.ts";
import { BdevProvider } from "./bdev-provider.ts";
import { DeviceUses } from "./device-use.ts";
import { type DriverRecord, fileJournal } from "./driver-journal.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { PciDrivers } from "./pci-drivers.ts";
import { FakeMachine } from "./testing/fake-machine.ts";

const A = "0000:22:00.0";
const B = "0000:42:00.0";
const PCI = "/sys/bus/pci";
const SIZE = 1024 * 1024;
/** Beyond the largest number of a process. */
const DEAD = 4_194_305;

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-journal-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A machine, and what a process works with on it; several processes share the journal. */
async function setUp() {
  const machine = new FakeMachine({
    controllers: [
      { address: A, name: "nvme0", serial: "S0", numaNode: 0, size: SIZE },
      { address: B, name: "nvme1", serial: "S1", numaNode: 1, size: SIZE },
    ],
    devDirectory: directory,
  });
  for (const name of ["nvme0", "nvme1"]) await writeFile(machine.device(name), Buffer.alloc(SIZE));
  const { sys, runner, mounts } = machine;
  const journal = fileJournal(join(directory, "journal"));
  const newProcess = () => {
    const claim = () => Promise.resolve("free" as const);
    const uses = new DeviceUses({ sys, mounts, runner, journal, devDirectory: directory, claim });
    const drivers = new PciDrivers({ sys, runner, journal, wait: () => Promise.resolve() });
    const log = silentLogger;
    const backend = new KernelBackend({ sys, runner, mounts, uses, drivers, devDirectory: directory, log });
    const preparer = new BdevPreparer({ sys, runner, mounts, uses, drivers, journal, log });
    const bdev = new BdevProvider({ sys, runner, mounts, journal, backends: [backend], log });
    return { uses, preparer, bdev };
  };
  const overrideOf = (address: string) => sys.read(`${PCI}/devices/${address}/driver_override`);
  return { machine, sys, journal, newProcess, overrideOf };
}

/** A controller without driver. */
async function unbind({ sys }: Awaited<ReturnType<typeof setUp>>, address: string, override: string) {
  await sys.write(`${PCI}/devices/${address}/driver_override`, override);
  await sys.write(`${PCI}/devices/${address}/driver/unbind`, address);
}

const storage = { class: "nvme", list: [A], number: 0, sizeGB: 0 } as const;

describe("BdevProvider, after a process was killed,", () => {
  it.each([
    ["checked at the start of the server", "check"],
    ["formatted again", "format"],
    ["prepared again", "prepare"],
  ] as const)("binds a borrowed controller to vfio-pci again when it is %s", async (_, next) => {
    const { machine, journal, newProcess } = await setUp();
    machine.modules.add("vfio-pci");
    await journal.write("borrowed", A, { driver: "vfio-pci", override: "vfio-pci", pid: DEAD, started: "1" });
    expect(await machine.driverOf(A)).toBe("nvme");
    const { bdev, preparer } = newProcess();
    if (next === "check") await bdev.check(storage);
    else if (next === "format") expect(await bdev.format(storage)).toEqual([{ device: A }]);
    else await preparer.prepare({ hugepages: 2, whitelist: B });
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    expect(await journal.read("borrowed", A)).toBeUndefined();
  });

  it("leaves a controller that is in use by now with the kernel", async () => {
    const { machine, journal, newProcess } = await setUp();
    machine.mounts.mounted("/srv", "/dev/nvme0n1", "ext4");
    await journal.write("borrowed", A, { driver: "vfio-pci", override: "vfio-pci", pid: DEAD });
    await newProcess().bdev.check(storage);
    expect(await machine.driverOf(A)).toBe("nvme");
  });

  it("leaves a controller to the living process that has borrowed it", async () => {
    const { machine, sys, journal, newProcess } = await setUp();
    sys.files({ "/proc/77/stat": `77 (a ) b) S ${Array.from({ length: 18 }, () => "0").join(" ")} 4711 0` });
    const record: DriverRecord = { driver: "vfio-pci", override: "vfio-pci", pid: 77, started: "4711" };
    await journal.write("borrowed", A, record);
    await newProcess().bdev.check(storage);
    expect(await machine.driverOf(A)).toBe("nvme");
    // The number belongs to another process now.
    machine.modules.add("vfio-pci");
    await journal.write("borrowed", A, { ...record, started: "4710" });
    await newProcess().bdev.check(storage);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
  });

  it.each([
    ["prepare, between two drivers", "vfio-pci"],
    ["reset, between two drivers", "\n"],
  ])("restores the first driver of a controller: %s", async (_, override) => {
    const context = await setUp();
    const { machine, journal, newProcess } = context;
    await journal.write("prepared", A, { driver: "nvme", override: "(null)", pid: DEAD, started: "1" });
    await unbind(context, A, override);
    await newProcess().bdev.check(storage);
    expect(await machine.driverOf(A)).toBe("nvme");
    expect(await readdir(join(directory, "journal"))).toEqual([]);
  });
});

describe("BdevPreparer", () => {
  it("prepare() does not take controllers that are parked on purpose, and reset() leaves them", async () => {
    const context = await setUp();
    const { machine, sys, newProcess, overrideOf } = context;
    machine.modules.add("pci-stub");
    await unbind(context, A, "pci-stub");
    await sys.write(`${PCI}/drivers_probe`, A);
    await unbind(context, B, "none");
    const { controllers } = await newProcess().preparer.prepare({ hugepages: 2, whitelist: `${A} ${B}` });
    expect(controllers).toEqual([
      { kind: "skipped", pciAddress: A, reason: "pci-stub has it" },
      { kind: "skipped", pciAddress: B, reason: "it has no driver, and its driver_override is none" },
    ]);
    await newProcess().preparer.reset();
    expect([await machine.driverOf(A), await machine.driverOf(B)]).toEqual(["pci-stub", undefined]);
    expect([await overrideOf(A), await overrideOf(B)]).toEqual(["pci-stub", "none"]);
    const results = await newProcess().bdev.format({ ...storage, list: [A, B] }, { reformat: true });
    expect(results.map(({ fault }) => fault?.description)).toEqual([
      `cannot format the NVMe controller ${A}: pci-stub has it`,
      `cannot format the NVMe controller ${B}: it has no driver, and its driver_override is none`,
    ]);
    expect(await overrideOf(B)).toBe("none");
  });

  it("format() leaves a controller that had no driver without one", async () => {
    const context = await setUp();
    await unbind(context, A, "\n");
    expect(await context.newProcess().bdev.format(storage)).toEqual([{ device: A }]);
    expect(await context.machine.driverOf(A)).toBeUndefined();
  });

  it("reset() gives a controller that had no driver back without one, and its driver_override", async () => {
    const context = await setUp();
    const { machine, sys, newProcess, overrideOf } = context;
    await unbind(context, A, "\n");
    sys.files({ [`${PCI}/devices/${B}/driver_override`]: "nvme" });
    const { controllers } = await newProcess().preparer.prepare({ hugepages: 2 });
    expect(controllers.map(({ kind }) => kind)).toEqual(["bound", "bound"]);
    const reset = await newProcess().preparer.reset();
    expect(reset.controllers).toEqual([
      { kind: "skipped", pciAddress: A, reason: "it has no driver again, as before" },
      { kind: "bound", pciAddress: B, driver: "nvme" },
    ]);
    expect(await machine.driverOf(A)).toBeUndefined();
    expect(await overrideOf(B)).toBe("nvme");
    // A second reset leaves it, too.
    await newProcess().preparer.reset();
    expect(await machine.driverOf(A)).toBeUndefined();
  });

  it("prepare() leaves a controller that has its driver with it, also when the prepare fails", async () => {
    const { machine, sys, newProcess } = await setUp();
    await newProcess().preparer.prepare({ hugepages: 2 });
    const before = sys.writes.filter((line) => line.includes("/unbind=")).length;
    await expect(newProcess().preparer.prepare({ hugepages: 100_000 })).rejects.toThrow();
    await newProcess().preparer.prepare({ hugepages: 2 });
    expect(sys.writes.filter((line) => line.includes("/unbind="))).toHaveLength(before);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
  });

  it("prepare() takes one of two paths to a device, and the other neither then nor later", async () => {
    const { machine, sys, newProcess } = await setUp();
    for (const name of ["nvme0n1", "nvme1n1"]) sys.files({ [`/sys/class/block/${name}/wwid`]: "eui.1" });
    for (let time = 0; time < 2; time += 1) {
      const { controllers } = await newProcess().preparer.prepare({ hugepages: 2 });
      expect(controllers.at(-1)).toEqual({
        kind: "skipped",
        pciAddress: B,
        reason: `it is another path to the device of ${A}`,
      });
    }
    expect([await machine.driverOf(A), await machine.driverOf(B)]).toEqual(["vfio-pci", "nvme"]);
    // An engine uses the first path.
    sys.files({ "/proc/4711/comm": "daos_io_server\n", "/dev/vfio/34": "" });
    sys.link("/proc/4711/fd/7", "/dev/vfio/34");
    const use = `${A} is another path to its device, and process 4711 (daos_io_server) has /dev/vfio/34 open`;
    const { uses, bdev } = newProcess();
    expect(await uses.find(B)).toBe(use);
    expect(await bdev.format({ ...storage, list: [B] }, { reformat: true })).toMatchObject([
      { fault: { description: `cannot format the NVMe controller ${B}: ${use}` } },
    ]);
  });

  it("prepare() takes a virtual function only when it is named, and none of a machine that has some", async () => {
    const { sys, newProcess } = await setUp();
    sys.link(`${PCI}/devices/${B}/physfn`, `${PCI}/devices/${A}`);
    sys.files({ [`${PCI}/devices/${A}/sriov_numvfs`]: "1" });
    const { preparer } = newProcess();
    const reason = `it is a virtual function of ${A}, and neither the whitelist nor bdev_include names it`;
    const { controllers } = await preparer.prepare({ hugepages: 2 });
    expect(controllers).toEqual([
      {
        kind: "skipped",
        pciAddress: A,
        reason: expect.stringContaining("1 virtual functions of it are enabled"),
      },
      { kind: "skipped", pciAddress: B, reason },
    ]);
    const named = await preparer.prepare({ hugepages: 2, include: [B] });
    expect(named.controllers).toContainEqual({ kind: "bound", pciAddress: B, driver: "vfio-pci" });
  });
});

describe("fileJournal()", () => {
  it("fileJournal() keeps what it was given, and takes a damaged file for none", async () => {
    const journal = fileJournal(join(directory, "journal"));
    const record = {
      driver: "vfio-pci",
      override: "vfio-pci",
      owner: { uid: 1, gid: 2 },
      namespaceIds: ["eui.1"],
      pid: 1,
      started: "2",
    };
    await journal.write("prepared", A, record);
    expect(await journal.read("prepared", A)).toEqual(record);
    expect(await journal.read("borrowed", A)).toBeUndefined();
    for (const text of ["", "{", "[]", "{}", '{"override":1,"pid":1}', "null"]) {
      await writeFile(join(directory, "journal", `${A}.prepared`), text);
      expect(await journal.read("prepared", A)).toBeUndefined();
    }
    await journal.remove("prepared", A);
    await journal.remove("prepared", A);
    expect(await readdir(join(directory, "journal"))).toEqual([]);
    await journal.writeHugepages([{ node: "node0", pages: 7 }]);
    expect(await fileJournal(join(directory, "journal")).readHugepages()).toEqual([
      { node: "node0", pages: 7 },
    ]);
    await journal.writeHugepages([]);
    await journal.writeHugepages([]);
    expect(await readdir(join(directory, "journal"))).toEqual([]);
    for (const text of ["{", "null", '[null,{"node":"node0","pages":-1},{"node":0,"pages":1}]']) {
      await writeFile(join(directory, "journal", "hugepages"), text);
      expect(await journal.readHugepages()).toEqual([]);
    }
  });

  it("fileJournal() says that nothing was changed when it cannot be written", async () => {
    await writeFile(join(directory, "file"), "");
    const journal = fileJournal(join(directory, "file", "journal"));
    const record = { driver: "nvme", override: "(null)", pid: 1 };
    for (const write of [
      () => journal.write("prepared", A, record),
      () => journal.writeHugepages([{ node: "node0", pages: 7 }]),
    ])
      await expect(write()).rejects.toMatchObject({
        code: FaultCode.bdevRecordFailed,
        description: expect.stringContaining("nothing was changed"),
        reason: expect.stringContaining("ENOTDIR"),
      });
  });
});
