import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import type { BlockClaim } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BdevPreparer } from "./bdev-preparer.ts";
import { BdevProvider } from "./bdev-provider.ts";
import { DeviceUses } from "./device-use.ts";
import { inProcessJournal } from "./driver-journal.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { PciDrivers } from "./pci-drivers.ts";
import { FakeMachine } from "./testing/fake-machine.ts";

const A = "0000:22:00.0";
const B = "0000:42:00.0";
const SIZE = 1024 * 1024;
const BLOCK = "/sys/class/block";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-uses-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function setUp(claims: Readonly<Record<string, BlockClaim>> = {}) {
  const machine = new FakeMachine({
    controllers: [
      { address: A, name: "nvme0", serial: "S0", numaNode: 0, size: SIZE },
      { address: B, name: "nvme1", serial: "S1", numaNode: 1, size: SIZE },
    ],
    devDirectory: directory,
  });
  for (const name of ["nvme0", "nvme1"]) await writeFile(machine.device(name), Buffer.alloc(SIZE, 1));
  const { sys, runner, mounts } = machine;
  const uses = new DeviceUses({
    sys,
    mounts,
    runner,
    devDirectory: directory,
    claim: (device) => Promise.resolve(claims[device.split("/").at(-1) ?? ""] ?? "free"),
  });
  const drivers = new PciDrivers({ sys, runner, wait: () => Promise.resolve() });
  const log = silentLogger;
  const backend = new KernelBackend({ sys, runner, mounts, uses, drivers, devDirectory: directory, log });
  const preparer = new BdevPreparer({ sys, runner, mounts, uses, drivers, journal: inProcessJournal(), log });
  const bdev = new BdevProvider({ sys, runner, mounts, backends: [backend], log });
  const format = (reformat?: boolean) =>
    bdev.format({ class: "nvme", list: [A], number: 0, sizeGB: 0 }, { reformat });
  return { machine, sys, runner, mounts, uses, preparer, bdev, format };
}

type Context = Awaited<ReturnType<typeof setUp>>;

describe("DeviceUses.find()", () => {
  const partition = ({ sys }: Context) => void sys.files({ [`${BLOCK}/nvme0n1/nvme0n1p1/dev`]: "259:9" });
  const opened = ({ sys }: Context, node: string, exe: string) => {
    sys.files({ [node]: "", [exe]: "" });
    sys.link("/proc/4711/fd/5", node).link("/proc/4711/exe", exe);
  };
  it.each<[use: string, begin: (context: Context) => void]>([
    [
      "nvme0n1 is the backing of loop3",
      ({ sys }) => void sys.files({ [`${BLOCK}/loop3/loop/backing_file`]: "/dev/nvme0n1" }),
    ],
    [
      "nvme0n1p1 is the backing of loop0",
      (context) => {
        partition(context);
        context.sys.files({
          "/dev/nvme0n1p1": "",
          [`${BLOCK}/loop0/loop/backing_file`]: "/dev/disk/by-id/x",
        });
        context.sys.link("/dev/disk/by-id/x", "/dev/nvme0n1p1");
      },
    ],
    [
      "nvme0n1 is exported as nqn.x (nvmet)",
      ({ sys }) =>
        void sys.files({
          "/sys/kernel/config/nvmet/subsystems/nqn.x/namespaces/1/device_path": "/dev/nvme0n1",
        }),
    ],
    [
      "nvme0n1 is exported as disk0 (LIO fileio_0)",
      ({ sys }) =>
        void sys.files({
          // udev_path is a note of the administrator's tool, and may be empty.
          "/sys/kernel/config/target/core/fileio_0/disk0/udev_path": "",
          "/sys/kernel/config/target/core/fileio_0/disk0/info":
            "Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 16384\n        TCM FILEIO ID: 0        File: /dev/nvme0n1  Size: 1048576  Mode: Buffered-WCE Async: 0\n",
        }),
    ],
    [
      "nvme0n1 is exported as disk1 (LIO iblock_1)",
      ({ sys }) =>
        void sys.files({
          "/sys/kernel/config/target/core/iblock_1/disk1/info":
            "Status: DEACTIVATED\n        iBlock device: nvme0n1  UDEV PATH: /dev/nvme0n1  readonly: 0\n",
        }),
    ],
    [
      "nvme0n1 is exported as g1 (USB gadget)",
      ({ sys }) =>
        void sys.files({
          "/sys/kernel/config/usb_gadget/g1/functions/mass_storage.0/lun.0/file": "/dev/nvme0n1",
        }),
    ],
    [
      "nvme0n1 is exported as ram0@s (rnbd)",
      ({ sys }) =>
        void sys.link("/sys/class/rnbd-server/ctl/devices/ram0@s/block_dev", "/sys/class/block/nvme0n1"),
    ],
    [
      "nvme0n1 is exported as vbd-1-51712 (Xen)",
      ({ sys }) =>
        void sys
          .files({ "/sys/bus/xen-backend/devices/vbd-1-51712/physical_device": "103:0" })
          .link("/sys/dev/block/259:0", "/sys/class/block/nvme0n1"),
    ],
    [
      "process 4711 (qemu) has /dev/nvme0n1 open",
      (context) => opened(context, "/dev/nvme0n1", "/usr/bin/qemu"),
    ],
    ["process 4711 (fio) has /dev/ng0n1 open", (context) => opened(context, "/dev/ng0n1", "/usr/bin/fio")],
    [
      "process 4711 (dd) has /dev/nvme0n1p1 open",
      (context) => {
        partition(context);
        opened(context, "/dev/nvme0n1p1", "/usr/bin/dd");
      },
    ],
    [
      "nvme7n1 is mounted at /srv/m",
      ({ sys, mounts }) => {
        sys.files({ [`${BLOCK}/nvme0n1/wwid`]: "eui.1", [`${BLOCK}/nvme7n1/wwid`]: "eui.1" });
        mounts.mounted("/srv/m", "/dev/nvme7n1", "ext4");
      },
    ],
  ])("find() names the use, and neither format, burn-in nor prepare goes on: %s", async (use, begin) => {
    const context = await setUp();
    begin(context);
    expect(await context.uses.find(A)).toBe(use);
    expect(await context.uses.find(B)).toBeUndefined();
    const fault = { code: FaultCode.bdevInUse, description: expect.stringContaining(use) };
    expect(await context.format(true)).toMatchObject([{ fault }]);
    expect(await context.bdev.burnIn([A], { durationMs: 1 })).toMatchObject([{ fault }]);
    const prepared = await context.preparer.prepare({ hugepages: 2 });
    expect(prepared.controllers).toEqual([
      { kind: "skipped", pciAddress: A, reason: use },
      { kind: "bound", pciAddress: B, driver: "vfio-pci" },
    ]);
    expect(await readFile(context.machine.device("nvme0"))).toEqual(Buffer.alloc(SIZE, 1));
  });

  it("find() ignores udev, which looks into every new block device", async () => {
    const context = await setUp();
    opened(context, "/dev/nvme0n1", "/usr/bin/udevadm");
    expect(await context.uses.find(A)).toBeUndefined();
  });
});

describe("BdevProvider.format()", () => {
  it("format() refuses the second path to a device while the first is formatted", async () => {
    const { sys, bdev } = await setUp();
    sys.files({ [`${BLOCK}/nvme0n1/wwid`]: "eui.1", [`${BLOCK}/nvme1n1/wwid`]: "eui.1" });
    const results = await bdev.format({ class: "nvme", list: [A, B], number: 0, sizeGB: 0 });
    expect(results.filter(({ fault }) => fault === undefined)).toHaveLength(1);
    expect(results.filter(({ fault }) => fault !== undefined)).toMatchObject([
      {
        fault: {
          code: FaultCode.bdevInUse,
          description: expect.stringContaining("another path to the same device"),
        },
      },
    ]);
  });
});

describe("BdevPreparer.reset()", () => {
  it.each([{ whitelist: A }, { include: [A] }, { exclude: [B] }])(
    "reset() and prepare() leave the driver of a controller that %j does not select",
    async (selection) => {
      const { machine, preparer } = await setUp();
      await preparer.prepare({ hugepages: 2 });
      await preparer.prepare({ hugepages: 2, ...selection });
      expect(await machine.driverOf(B)).toBe("vfio-pci");
      await preparer.reset(selection);
      expect([await machine.driverOf(A), await machine.driverOf(B)]).toEqual(["nvme", "vfio-pci"]);
    },
  );
});

describe("DeviceUses.contents()", () => {
  it.each([
    ["TYPE=ext4", "ext4"],
    ["TYPE=LVM2_member\nUSAGE=raid", "LVM2_member"],
    ["TYPE=crypto_LUKS", "crypto_LUKS"],
    ["TYPE=zfs_member", "zfs_member"],
    ["TYPE=linux_raid_member", "linux_raid_member"],
    ["TYPE=bcache", "bcache"],
    ["TYPE=swap", "swap"],
    ["PTUUID=1\nPTTYPE=gpt", "gpt partition table"],
  ])("contents() finds %j, which a format erases only with reformat", async (output, name) => {
    const { machine, format, preparer, bdev } = await setUp();
    machine.contents.set("nvme0n1", output);
    const contents = `nvme0n1 holds ${name}`;
    expect(await bdev.burnIn([A], { durationMs: 1 })).toMatchObject([
      { fault: { code: FaultCode.bdevBurnInFailed, description: expect.stringContaining(contents) } },
    ]);
    // Held by a user-space driver, it is read after its return to the kernel, and bound back.
    const prepared = await preparer.prepare({ hugepages: 2 });
    expect(prepared.controllers).toContainEqual({
      kind: "bound",
      pciAddress: A,
      driver: "vfio-pci",
      contents,
    });
    expect(await format()).toMatchObject([
      {
        device: A,
        fault: {
          code: FaultCode.bdevHoldsData,
          description: `cannot format the NVMe controller ${A}: ${contents}`,
          resolution: expect.stringContaining("--reformat"),
        },
      },
    ]);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    expect(await readFile(machine.device("nvme0"))).toEqual(Buffer.alloc(SIZE, 1));
    expect(await format(true)).toEqual([{ device: A }]);
    expect(await readFile(machine.device("nvme0"))).toEqual(Buffer.alloc(SIZE));
    expect(await format()).toEqual([{ device: A }]);
  });

  it("contents() reads the partitions too", async () => {
    const { machine, uses, sys } = await setUp();
    sys.files({ [`${BLOCK}/nvme0n1/nvme0n1p1/dev`]: "259:9", [`${BLOCK}/nvme0n1p1/dev`]: "259:9" });
    machine.contents.set("nvme0n1", "PTTYPE=gpt").set("nvme0n1p1", "TYPE=xfs");
    expect(await uses.contents(A)).toBe("nvme0n1 holds gpt partition table, nvme0n1p1 holds xfs");
  });

  it("contents() fails when they cannot be known, and no format goes on", async () => {
    const { runner, format } = await setUp();
    runner.on("blkid --probe --output export", { exitCode: 8 });
    expect(await format()).toMatchObject([{ fault: { code: FaultCode.bdevHoldsData } }]);
    runner.on("blkid --probe --output export", {
      exitCode: 2,
      stderr: "blkid: error: /dev/nvme0n1: Permission denied",
    });
    expect(await format()).toMatchObject([
      { fault: { code: FaultCode.bdevToolFailed, reason: expect.stringContaining("Permission denied") } },
    ]);
    runner.missing("blkid");
    expect(await format()).toMatchObject([{ fault: { code: FaultCode.missingSoftwareDependency } }]);
    // blkid prints nothing about a missing device.
    const gone = await setUp({ nvme0n1: "missing" });
    expect(await gone.format()).toMatchObject([{ fault: { code: FaultCode.bdevToolFailed } }]);
  });
});
