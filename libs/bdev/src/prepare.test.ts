import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import type { BlockClaim, Owner } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { type BdevPrepareResult, BdevPreparer } from "./bdev-preparer.ts";
import { DeviceUses } from "./device-use.ts";
import { inProcessJournal } from "./driver-journal.ts";
import { shareHugepages } from "./hugepages.ts";
import { PciDrivers } from "./pci-drivers.ts";
import { whyNotSelected } from "./select-controllers.ts";
import { type FakeController, FakeMachine, type FakeMachineOptions } from "./testing/fake-machine.ts";

const A = "0000:22:00.0";
const B = "0000:42:00.0";
const MiB = 1024 * 1024;
const controller = (address: string, index: number, iommuGroup?: number): FakeController => ({
  address,
  name: `nvme${index}`,
  serial: `S${index}`,
  numaNode: index,
  size: MiB,
  ...(iommuGroup === undefined ? {} : { iommuGroup }),
});

function setUp(
  options: Partial<FakeMachineOptions> & {
    claim?: BlockClaim;
    hugetlbfsNames?: readonly string[];
    wait?: () => Promise<void>;
  } = {},
) {
  const machine = new FakeMachine({ controllers: [controller(A, 0), controller(B, 1)], ...options });
  const { sys, runner, mounts } = machine;
  const owners = new Map<string, Owner>();
  const removed: string[] = [];
  const files = ["spdk_pid4194200map_0", "spdk_pid77map_0", "spdk0map_1", "other"];
  const looked: string[] = [];
  const preparer = new BdevPreparer({
    sys,
    runner,
    mounts,
    log: silentLogger,
    uses: new DeviceUses({ sys, mounts, runner, claim: () => Promise.resolve(options.claim ?? "free") }),
    drivers: new PciDrivers({ sys, runner, wait: options.wait ?? (() => Promise.resolve()) }),
    files: {
      exists: () => Promise.resolve(true),
      chown: async (path, owner) => void owners.set(path, owner),
    },
    journal: inProcessJournal(),
    spdkFiles: {
      list: async (path) => {
        looked.push(path);
        return files;
      },
      remove: async (path) => void removed.push(path),
    },
    hugetlbfsFiles: {
      list: () => Promise.resolve(options.hugetlbfsNames ?? []),
      ownerOf: (path) => Promise.resolve(owners.get(path) ?? { uid: 0, gid: 0 }),
      chown: async (path, owner) => void owners.set(path, owner),
      makeDirectory: () => Promise.resolve(),
    },
  });
  return { machine, sys, runner, mounts, owners, looked, removed, preparer };
}

const reasons = (result: BdevPrepareResult) =>
  result.controllers.map((outcome) =>
    outcome.kind === "bound"
      ? outcome.driver
      : outcome.kind === "skipped"
        ? outcome.reason
        : outcome.fault.description,
  );

describe("BdevPreparer.prepare()", () => {
  it("binds to vfio-pci, reserves hugepages on every node, and hands over to the owner", async () => {
    const { preparer, machine, runner, owners } = setUp();
    const result = await preparer.prepare({ hugepages: 101, owner: { uid: 1000, gid: 100 } });
    expect(result).toEqual({
      controllers: [
        { kind: "bound", pciAddress: A, driver: "vfio-pci" },
        { kind: "bound", pciAddress: B, driver: "vfio-pci" },
      ],
      hugepages: [
        { node: "node0", pages: 51 },
        { node: "node1", pages: 50 },
      ],
    });
    expect(await machine.driverOf(B)).toBe("vfio-pci");
    expect(runner.ran.filter((command) => !/^(?:blkid|wipefs) /.test(command))).toEqual([
      "mount -t hugetlbfs -o pagesize=2M,mode=0700,uid=1000,gid=100,nosuid,nodev daos_hugepages /dev/hugepages",
      "modprobe vfio-pci",
      "udevadm settle --timeout=10",
    ]);
    expect([...owners.keys()]).toEqual(["/dev/vfio/34", "/dev/vfio/66"]);
    expect(owners.get("/dev/vfio/34")).toEqual({ uid: 1000, gid: 100 });
  });

  it("gives device nodes to the owner after udev has set its own, and without udev", async () => {
    const context = setUp({ controllers: [controller(A, 0)] });
    const { runner, owners, preparer } = context;
    const asUdev = () => void owners.set("/dev/vfio/34", { uid: 0, gid: 6 });
    runner.on("udevadm settle", () => {
      asUdev();
      return "";
    });
    const owner = { uid: 1000, gid: 100 };
    await preparer.prepare({ hugepages: 2, owner });
    expect(owners.get("/dev/vfio/34")).toEqual(owner);
    asUdev();
    runner.on("udevadm settle", () => {
      throw Object.assign(new Error("spawn udevadm ENOENT"), { code: "ENOENT" });
    });
    await preparer.prepare({ hugepages: 2, owner });
    expect(owners.get("/dev/vfio/34")).toEqual(owner);
  });

  it("reports a controller whose device node cannot be given to the owner", async () => {
    const { preparer, owners } = setUp();
    const set = owners.set.bind(owners);
    owners.set = (path, owner) => {
      if (path === "/dev/vfio/34") throw new Error("EPERM: operation not permitted");
      return set(path, owner);
    };
    const { controllers } = await preparer.prepare({ hugepages: 2, owner: { uid: 1000, gid: 100 } });
    expect(controllers).toMatchObject([
      { kind: "failed", pciAddress: A, fault: { description: expect.stringContaining("EPERM") } },
      { kind: "bound", pciAddress: B },
    ]);
  });

  it("can be repeated, and reset() restores everything", async () => {
    const { preparer, machine, looked } = setUp();
    const first = await preparer.prepare({ hugepages: 8 });
    expect(await preparer.prepare({ hugepages: 8 })).toEqual(first);
    const result = await preparer.reset();
    expect(reasons(result)).toEqual(["nvme", "nvme"]);
    expect(result.hugepages.map(({ pages }) => pages)).toEqual([0, 0]);
    expect(await machine.driverOf(A)).toBe("nvme");
    expect(reasons(await preparer.reset())).toEqual(["nvme has it already", "nvme has it already"]);
    expect(looked[0]).toBe("/dev/hugepages");
  });

  it.each<[string, readonly [string, string][], string]>([
    ["on an empty one of root's in the usual place", [["/dev/hugepages", "2M"]], "/dev/hugepages"],
    ["beside one with pages of another size", [["/dev/hugepages", "1024M"]], "/dev/hugepages2M"],
    ["in the usual place when a hypervisor has one elsewhere", [["/mnt/huge", "2M"]], "/dev/hugepages"],
  ])("mounts its own hugetlbfs %s, and never changes the owner of another", async (_, others, place) => {
    const { preparer, mounts, owners } = setUp({ controllers: [] });
    for (const [path, size] of others) mounts.mounted(path, "hugetlbfs", "hugetlbfs", `rw,pagesize=${size}`);
    await preparer.prepare({ hugepages: 2, owner: { uid: 1000, gid: 100 } });
    await preparer.prepare({ hugepages: 2, owner: { uid: 1000, gid: 100 } });
    expect(mounts.entries.slice(others.length)).toMatchObject([
      { mountPoint: place, source: "daos_hugepages" },
    ]);
    await preparer.reset();
    expect(mounts.entries.map(({ source }) => source)).toEqual(others.map(() => "hugetlbfs"));
    expect([...owners.keys()].filter((path) => path !== place)).toEqual([]);
  });

  it("refuses a hugetlbfs that has files of others, unless root has given it to the owner", async () => {
    const { preparer, mounts, owners, runner } = setUp({ hugetlbfsNames: ["libvirt"] });
    mounts.mounted("/dev/hugepages", "hugetlbfs", "hugetlbfs");
    await expect(preparer.prepare({ hugepages: 2, owner: { uid: 1000, gid: 100 } })).rejects.toMatchObject({
      code: FaultCode.bdevInUse,
      description: expect.stringContaining("files of other users (libvirt)"),
    });
    owners.set("/dev/hugepages", { uid: 1000, gid: 0 });
    await preparer.prepare({ hugepages: 2, owner: { uid: 1000, gid: 100 } });
    expect(owners.get("/dev/hugepages")).toEqual({ uid: 1000, gid: 0 });
    expect(runner.ran.filter((line) => line.startsWith("mount"))).toEqual([]);
  });

  it("leaves a controller that the configuration excludes with its driver", async () => {
    const { preparer, machine } = setUp();
    await preparer.prepare({ hugepages: 2 });
    const exclude = ["22:00.0"];
    expect(reasons(await preparer.prepare({ hugepages: 2, exclude }))).toEqual([
      "it is in bdev_exclude",
      "vfio-pci",
    ]);
    expect(reasons(await preparer.reset({ exclude }))).toEqual(["it is in bdev_exclude", "nvme"]);
    expect([await machine.driverOf(A), await machine.driverOf(B)]).toEqual(["vfio-pci", "nvme"]);
  });

  it("uses uio_pci_generic on a machine without IOMMU, with the files that it needs", async () => {
    const { preparer, owners } = setUp({ iommu: false, controllers: [controller(A, 0)] });
    expect(reasons(await preparer.prepare({ hugepages: 2, owner: { uid: 1, gid: 1 } }))).toEqual([
      "uio_pci_generic",
    ]);
    expect([...owners.keys()]).toEqual([
      "/dev/uio0",
      `/sys/bus/pci/devices/${A}/config`,
      `/sys/bus/pci/devices/${A}/resource0`,
    ]);
  });

  it.each<[string, (context: ReturnType<typeof setUp>) => unknown, string]>([
    [
      "has a mounted file system",
      ({ mounts }) => mounts.mounted("/home", "/dev/nvme0n1", "ext4"),
      "nvme0n1 is mounted at /home",
    ],
    [
      "has a mounted partition",
      ({ mounts, sys }) => {
        sys.files({
          "/sys/class/block/nvme0n1/nvme0n1p2/partition": "2",
          "/sys/class/block/nvme0n1p2/dev": "259:7",
        });
        mounts.mounted("/", "/dev/root", "ext4");
        mounts.entries.push({
          mountPoint: "/boot",
          source: "/dev/x",
          fsType: "ext4",
          options: "",
          device: "259:7",
        });
      },
      "nvme0n1p2 is mounted at /boot",
    ],
    [
      "is swap",
      ({ sys }) =>
        sys.files({ "/proc/swaps": "Filename Type Size Used Priority\n/dev/nvme0n1 partition 1 0 -2\n" }),
      "nvme0n1 is swap",
    ],
    [
      "is a part of a logical volume",
      ({ sys }) => sys.files({ "/sys/class/block/nvme0n1/holders/dm-0/dev": "254:0" }),
      "nvme0n1 is a part of dm-0",
    ],
  ])("leaves a controller alone that %s", async (_, use, reason) => {
    const context = setUp();
    use(context);
    expect(reasons(await context.preparer.prepare({ hugepages: 2 }))).toEqual([reason, "vfio-pci"]);
    expect(await context.machine.driverOf(A)).toBe("nvme");
  });

  it("waits for a controller that the kernel is just bringing up, and sees what it holds then", async () => {
    const namespace = {
      "/sys/class/block/nvme0n1/size": "2048\n",
      "/sys/class/block/nvme0n1/dev": "259:0\n",
    };
    let polls = 0;
    const context = setUp({
      wait: async () => {
        polls += 1;
        const path = `/sys/bus/pci/devices/${A}/nvme/nvme0`;
        if (polls === 3) context.sys.files({ [`${path}/state`]: "live\n" });
        if (polls === 5) context.sys.files({ [`${path}/nvme0n1/nsid`]: "1\n", ...namespace });
      },
    });
    const { sys, mounts, preparer } = context;
    sys
      .remove(`/sys/bus/pci/devices/${A}/nvme/nvme0/nvme0n1`)
      .remove("/sys/class/block/nvme0n1")
      .files({ [`/sys/bus/pci/devices/${A}/nvme/nvme0/state`]: "connecting\n" });
    mounts.mounted("/home", "/dev/nvme0n1", "ext4");
    expect(reasons(await preparer.prepare({ hugepages: 2 }))).toEqual([
      "nvme0n1 is mounted at /home",
      "vfio-pci",
    ]);
  });

  it.each(["new", "connecting", "resetting", "deleting", "dead"])(
    "leaves a controller alone whose state stays %s",
    async (state) => {
      const { machine, sys, preparer } = setUp();
      sys.files({ [`/sys/bus/pci/devices/${A}/nvme/nvme0/state`]: `${state}\n` });
      const [reason] = reasons(await preparer.prepare({ hugepages: 2 }));
      expect(reason).toBe(`the kernel does not have it ready: its state is ${state}`);
      expect(await machine.driverOf(A)).toBe("nvme");
    },
  );

  it("leaves a device alone when the kernel reports that it is in use", async () => {
    const { preparer } = setUp({ claim: "claimed" });
    expect(reasons(await preparer.prepare({ hugepages: 2 }))).toEqual([
      "nvme0n1 or a partition of it is in use by the kernel",
      "nvme1n1 or a partition of it is in use by the kernel",
    ]);
  });

  it("leaves a controller with the process that drives it", async () => {
    const { preparer, sys, machine, removed } = setUp();
    await preparer.prepare({ hugepages: 2 });
    removed.length = 0;
    sys.files({ "/proc/4711/comm": "daos_io_server\n", "/dev/vfio/34": "" });
    sys.link("/proc/4711/fd/7", "/dev/vfio/34");
    const reason = "process 4711 (daos_io_server) has /dev/vfio/34 open";
    expect(reasons(await preparer.reset())).toEqual([reason, "nvme"]);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    expect(removed).toEqual([]);
  });

  it("leaves a controller alone when another device of its IOMMU group has a driver", async () => {
    const { preparer, sys } = setUp();
    sys
      .files({
        "/sys/bus/pci/devices/0000:22:00.1/class": "0x020000",
        "/sys/bus/pci/drivers/mlx5_core/bind": "",
      })
      .link("/sys/bus/pci/devices/0000:22:00.1/driver", "/sys/bus/pci/drivers/mlx5_core")
      .link("/sys/kernel/iommu_groups/34/devices/0000:22:00.1", "/sys/bus/pci/devices/0000:22:00.1");
    expect(reasons(await preparer.prepare({ hugepages: 2 }))).toEqual([
      "its IOMMU group is shared with 0000:22:00.1 (mlx5_core)",
      "vfio-pci",
    ]);
  });

  it("continues after a controller fails, and returns that controller to the kernel", async () => {
    const { preparer, runner, machine, sys } = setUp();
    runner.on("modprobe", (argv) => {
      machine.modules.add(argv[1] ?? "");
      return "";
    });
    // The kernel refuses the first controller.
    const write = sys.write.bind(sys);
    sys.write = async (path, value) => {
      if (path.endsWith("/driver_override") && path.includes(A) && value === "vfio-pci") {
        throw Object.assign(new Error("EINVAL: invalid argument, write"), { code: "EINVAL" });
      }
      await write(path, value);
    };
    const result = await preparer.prepare({ hugepages: 2 });
    expect(result.controllers).toMatchObject([
      { kind: "failed", fault: { code: FaultCode.bdevBindFailed } },
      { kind: "bound" },
    ]);
    expect(await machine.driverOf(A)).toBe("nvme");
  });

  it("fails when the driver cannot be loaded", async () => {
    const { preparer, runner, machine } = setUp({ controllers: [controller(A, 0)] });
    runner.on("modprobe", { exitCode: 1, stderr: "modprobe: FATAL: Module vfio-pci not found." });
    expect((await preparer.prepare({ hugepages: 2 })).controllers).toMatchObject([
      {
        kind: "failed",
        fault: { code: FaultCode.bdevBindFailed, reason: expect.stringContaining("not found") },
      },
    ]);
    expect(await machine.driverOf(A)).toBe("nvme");
  });

  it("reports a controller that vanishes", async () => {
    const { preparer, machine, runner } = setUp({ controllers: [controller(A, 0)] });
    runner.on("modprobe", () => {
      machine.unplug(A);
      return "";
    });
    expect((await preparer.prepare({ hugepages: 2 })).controllers).toMatchObject([
      { kind: "failed", fault: { code: FaultCode.bdevVanished } },
    ]);
  });

  it("removes the files of SPDK processes that have ended where engines look, and keeps those of running ones", async () => {
    const { preparer, sys, mounts, looked, removed } = setUp();
    sys.files({ "/proc/77/stat": "77 (reactor_1) S" });
    mounts.mounted("/mnt/huge", "hugetlbfs", "hugetlbfs", "rw,pagesize=2M");
    mounts.mounted("/dev/hugepages", "hugetlbfs", "hugetlbfs", "rw,pagesize=2M");
    await preparer.prepare({ hugepages: 2 });
    expect(looked).toEqual(["/dev/hugepages"]);
    expect(removed).toEqual(["/dev/hugepages/spdk_pid4194200map_0", "/dev/hugepages/spdk0map_1"]);
    removed.length = 0;
    await preparer.removeDeadFiles();
    expect(removed).toEqual(["/dev/hugepages/spdk_pid4194200map_0"]);
  });

  it("keeps the existing hugepages when no number is given", async () => {
    const { preparer, sys } = setUp();
    const file = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages";
    sys.files({ [file]: "3000" });
    expect((await preparer.prepare({})).hugepages).toEqual([
      { node: "node0", pages: 3000 },
      { node: "node1", pages: 512 },
    ]);
  });

  it("binds nothing when hugepages are short, and reports their number", async () => {
    const { preparer, machine } = setUp({ hugepagesPerNode: 100 });
    await expect(preparer.prepare({ hugepages: 1024 })).rejects.toMatchObject({
      code: FaultCode.bdevHugepagesShort,
      description: "cannot reserve 1024 hugepages of 2 MiB: the kernel gave 200 (node0: 100, node1: 100)",
    });
    expect(await machine.driverOf(A)).toBe("nvme");
    const left = await machine.sys.read(
      "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages",
    );
    expect(left).toBe("0");
  });

  it("does not try to reserve more hugepages than fit into memory", async () => {
    const { preparer, sys } = setUp();
    for (const node of [0, 1]) {
      sys.files({
        [`/sys/devices/system/node/node${node}/meminfo`]: `Node ${node} MemTotal: 985460 kB\nNode ${node} MemFree:  797476 kB\nNode ${node} FilePages: 2048 kB\n`,
      });
    }
    await expect(preparer.prepare({ hugepages: 1024 })).rejects.toMatchObject({
      code: FaultCode.bdevHugepagesShort,
      description:
        "cannot reserve 1024 hugepages of 2 MiB: the kernel has room for 780 (node0: 390, node1: 390)",
    });
    expect(sys.writes.filter((write) => write.endsWith("=512"))).toEqual([]);
  });

  it("fails without root", async () => {
    const { preparer, sys } = setUp({ privileged: false });
    for (const attempt of [() => preparer.prepare({}), () => preparer.reset()]) {
      await expect(attempt()).rejects.toMatchObject({ code: FaultCode.storageNotPrivileged });
    }
    expect(sys.writes).toEqual([]);
  });
});

describe("whyNotSelected()", () => {
  it.each<[string, Parameters<typeof whyNotSelected>[1], string | undefined]>([
    ["no selection", {}, undefined],
    ["a blank whitelist", { whitelist: "  " }, undefined],
    ["in the whitelist", { whitelist: `${B}\t${A}` }, undefined],
    ["in the whitelist, short", { whitelist: "22:00.0" }, undefined],
    ["not in the whitelist", { whitelist: B }, "it is not in the whitelist"],
    ["beside an invalid address", { whitelist: `0000:22:0.0 ${A}` }, undefined],
    ["only an invalid address", { whitelist: "0000:22:0.0" }, "it is not in the whitelist"],
    ["included", { include: [A] }, undefined],
    ["not included", { include: [B] }, "it is not in bdev_include"],
    ["excluded", { include: [A], exclude: [A] }, "it is in bdev_exclude"],
  ])("%s", (_, selection, expected) => {
    expect(whyNotSelected(A, selection)).toBe(expected);
  });
});

describe("shareHugepages()", () => {
  it("gives the remainder to the first nodes", () => {
    expect(shareHugepages(7, ["a", "b", "c"]).map(({ pages }) => pages)).toEqual([3, 2, 2]);
  });
});
