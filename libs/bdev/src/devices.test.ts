import { readFileSync } from "node:fs";
import { silentLogger } from "@daos/log";
import { parseMountInfo } from "@daos/sys";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { whyNotOffered, whyUnusable } from "./device-limits.ts";
import { DeviceUses } from "./device-use.ts";
import { KernelBackend } from "./kernel-backend.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/devices/${name}`, import.meta.url), "utf8");
const PCI = "/sys/bus/pci/devices";
const BLOCK = "/sys/class/block";

interface Listed {
  readonly NameSpace: number;
  readonly DevicePath: string;
  readonly SerialNumber: string;
  readonly PhysicalSize: number;
}
interface Path {
  readonly Name: string;
  readonly Address: string;
}

/** The namespaces that `nvme list` shows, without those of devices that it leaves out. */
const listed = (name: string) => (JSON.parse(fixture(name)) as { Devices: readonly Listed[] }).Devices;

/** sysfs of the machine "zoo". Names of another boot; the ids and sizes are those of `nvme list`. */
function zoo() {
  const sys = new FakeSysTree();
  const list = listed("nvme-zoo-list.json");
  for (const line of fixture("sysfs-nvme-multipath.txt").split("\n")) {
    const match = /^(nvme\d+) pci=(\S+) sn=(\S+) cntlid=\d+ nqn=(\S+) entries: (.*)$/.exec(line);
    if (match === null) continue;
    const [, name = "", address = "", serial = "", nqn = "", entries = ""] = match;
    const device = `${PCI}/${address}`;
    sys.files({
      [`${device}/class`]: "0x010802\n",
      [`${device}/vendor`]: "0x1b36\n",
      [`${device}/device`]: "0x0010\n",
      [`${device}/numa_node`]: "0\n",
      [`${device}/nvme/${name}/serial`]: `${serial}\n`,
      [`${device}/nvme/${name}/state`]: "live\n",
    });
    sys
      .files({ "/sys/bus/pci/drivers/nvme/unbind": "" })
      .link(`${device}/driver`, "/sys/bus/pci/drivers/nvme");
    for (const entry of entries.split(" ")) {
      const [, head = "", instance = ""] = /^(nvme\d+)(?:c\d+)?(n\d+)$/.exec(entry) ?? [];
      if (head === "") continue;
      const shown = list.find(
        ({ SerialNumber, DevicePath }) => SerialNumber === serial && DevicePath.endsWith(instance),
      );
      // The kernel gives no size to blocks that metadata extends.
      const size = serial === "EXT" ? 0 : (shown?.PhysicalSize ?? 0) / 512;
      sys.files({
        [`${device}/nvme/${name}/${entry}/nsid`]: `${shown?.NameSpace}\n`,
        [`${device}/nvme/${name}/${entry}/size`]: `${size}\n`,
        [`${BLOCK}/${head}${instance}/size`]: `${size}\n`,
        [`${BLOCK}/${head}${instance}/wwid`]: `${nqn} ${shown?.NameSpace}\n`,
        [`${BLOCK}/${head}${instance}/queue/zoned`]: serial === "ZNS" ? "host-managed\n" : "none\n",
      });
    }
  }
  return sys;
}

const backendOn = (sys: FakeSysTree) =>
  new KernelBackend({
    sys,
    runner: new FakeCommandRunner(),
    mounts: new FakeMountTable({ privileged: true }),
    log: silentLogger,
  });
const usesOn = (sys: FakeSysTree, mounts = new FakeMountTable({ privileged: true })) =>
  new DeviceUses({ sys, mounts, runner: new FakeCommandRunner(), claim: () => Promise.resolve("free") });

describe("KernelBackend.scan()", () => {
  it("scan() sees in sysfs what nvme-cli lists, and the controllers that it leaves out", async () => {
    const controllers = await backendOn(zoo()).scan({ health: false });
    const found = controllers.flatMap(({ serial, namespaces }) =>
      namespaces.map(({ id, size }) => `${serial} ${id} ${size}`),
    );
    // nvme-cli shows a namespace with two paths once.
    const expected = listed("nvme-zoo-list.json").map(
      ({ SerialNumber: serial, NameSpace: id, PhysicalSize: size }) =>
        `${serial} ${id} ${serial === "EXT" ? 0 : size}`,
    );
    expect([...new Set(found)].sort()).toEqual(expected.sort());
    expect(found.filter((text) => text.startsWith("GAPS "))).toEqual([
      "GAPS 2 134217728",
      "GAPS 7 134217728",
    ]);
    const ids = (serial: string) =>
      controllers.filter((entry) => entry.serial === serial).map(({ namespaces }) => namespaces.length);
    expect([ids("MP"), ids("ZERO")]).toEqual([[2, 1], [0]]);
    const subsystems = JSON.parse(fixture("nvme-zoo-list-subsys.json")) as readonly {
      readonly Subsystems: readonly { readonly NQN: string; readonly Paths: readonly Path[] }[];
    }[];
    const paths = subsystems.flatMap(({ Subsystems }) => Subsystems.flatMap(({ Paths }) => Paths));
    const addresses = paths.map(({ Address }) => Address);
    expect(controllers.map(({ pciAddress }) => pciAddress)).toEqual(expect.arrayContaining(addresses));
    const verbose = fixture("nvme-zoo-list-v.json");
    for (const { serial, pciAddress } of controllers) {
      expect(verbose).toContain(`"SerialNumber":${JSON.stringify(serial)}`);
      expect(verbose).toContain(`"Address":"${pciAddress}"`);
    }
  });

  it("scan() finds nothing on a machine where nvme-cli lists nothing", async () => {
    expect(listed("nvme-none-list.json")).toEqual([]);
    expect(listed("nvme-none-list-v.json")).toEqual([]);
    expect(JSON.parse(fixture("nvme-none-list-subsys.json"))).toEqual([]);
    expect(fixture("nvme-none-list.txt")).not.toContain("/dev/");
    expect(await backendOn(new FakeSysTree()).scan()).toEqual([]);
  });
});

describe("DeviceUses", () => {
  it("namespaceIds() are the same for the two controllers of one subsystem, and only for those", async () => {
    const uses = usesOn(zoo());
    expect(await uses.namespaceIds("0000:23:00.0")).toEqual([
      "nqn.2019-08.org.qemu:ss0 1",
      "nqn.2019-08.org.qemu:ss0 3",
    ]);
    expect(await uses.namespaceIds("0000:43:00.0")).toEqual(["nqn.2019-08.org.qemu:ss0 1"]);
    expect(await uses.namespaceIds("0000:22:00.0")).toEqual([
      "nqn.2019-08.org.qemu:GAPS 2",
      "nqn.2019-08.org.qemu:GAPS 7",
    ]);
    expect(await uses.blockDevices("0000:43:00.0")).toEqual(["nvme1n1"]);
  });

  it("find() names the users of the devices that lsblk, mountinfo and swaps show", async () => {
    interface Disk {
      readonly name: string;
      readonly "maj:min": string;
      readonly serial: string | null;
      readonly children?: readonly Disk[];
    }
    const sys = new FakeSysTree().files({ "/proc/swaps": fixture("danger-swaps.txt") });
    const mounts = new FakeMountTable({ privileged: true });
    mounts.entries.push(...parseMountInfo(fixture("danger-mountinfo.txt")));
    const { blockdevices } = JSON.parse(fixture("danger-lsblk.json")) as {
      readonly blockdevices: readonly Disk[];
    };
    const disks = blockdevices
      .filter(({ name }) => name.startsWith("nvme"))
      .map((disk) => ({ ...disk, serial: disk.serial?.trim() }));
    for (const { name, serial, children = [], ...disk } of disks) {
      const controller = name.slice(0, -2);
      sys.files({
        [`${PCI}/${serial}/nvme/${controller}/${name}/nsid`]: "1",
        [`${BLOCK}/${name}/dev`]: disk["maj:min"],
        [`${BLOCK}/${name}/wwid`]: `nvme.${serial}`,
      });
      for (const child of children) {
        const isPartition = child.name.startsWith(name);
        const path = isPartition ? `${name}/${child.name}/dev` : `${name}/holders/${child.name}/dev`;
        sys.files({ [`${BLOCK}/${path}`]: child["maj:min"] });
        if (isPartition) sys.files({ [`${BLOCK}/${child.name}/dev`]: child["maj:min"] });
      }
    }
    const uses = usesOn(sys, mounts);
    const found = await Promise.all(disks.map(async ({ serial }) => [serial, await uses.find(serial ?? "")]));
    // The others are not in use, or only open files and claims show it.
    expect(found.filter(([, use]) => use !== undefined).sort()).toEqual([
      ["BT1", "nvme7n1 is mounted at /srv/bt"],
      ["MDA", "nvme12n1 is a part of md8"],
      ["SW", "nvme11n1 is swap"],
    ]);
    expect(found).toHaveLength(18);
  });
});

describe("whyUnusable() and whyNotOffered()", () => {
  it("whyUnusable() names what no engine can use of the machine, and nothing else", async () => {
    const sys = zoo();
    const uses = usesOn(sys);
    const reasons: Record<string, string | undefined> = {};
    for (const address of await sys.list(PCI)) {
      const reason = await whyUnusable(sys, address, await uses.blockDevices(address));
      if (reason !== undefined) reasons[address] = reason;
    }
    expect(reasons).toEqual({
      "0000:25:00.0": expect.stringMatching(/^nvme3n1 has no size: its blocks are extended by metadata/),
      "0000:42:00.0": "it has no namespaces",
      "0000:45:00.0": "nvme8n1 is zoned (host-managed), which SPDK's blobstore cannot use",
    });
    // The zones of that device are to be written from their beginnings.
    expect(JSON.parse(fixture("nvme-zns-report-zones.json"))).toMatchObject({
      nr_zones: 32,
      zone_list: [{ type: "SEQWRITE_REQ" }, {}, {}, {}],
    });
    expect(JSON.parse(fixture("nvme-zns-id-ns.json"))).toMatchObject({
      lbafe: expect.arrayContaining([{ zsze: 8192, zdes: 0 }]),
    });
  });

  it.each(["new", "connecting", "resetting", "dead"])(
    "whyUnusable() says that the kernel does not have a controller without namespaces ready: %s",
    async (state) => {
      const address = "0000:22:00.0";
      const sys = new FakeSysTree().files({ [`${PCI}/${address}/nvme/nvme0/state`]: `${state}\n` });
      expect(await whyUnusable(sys, address, [])).toBe(
        `the kernel does not have it ready (its state is ${state})`,
      );
      expect(await whyUnusable(sys, address, ["nvme0n1"])).toBeUndefined();
    },
  );

  it("whyNotOffered() and whyUnusable() find the functions of SR-IOV", async () => {
    const sys = new FakeSysTree();
    const functions = new Map<string, number>();
    const addresses: string[] = [];
    for (const line of fixture("sriov-pci.txt").trim().split("\n")) {
      const [, address = "", physical = ""] = /^(\S+) driver=\S* physfn=(\S*)/.exec(line) ?? [];
      addresses.push(address);
      sys.files({ [`${PCI}/${address}/class`]: "0x010802" });
      if (physical === "") continue;
      sys.link(`${PCI}/${address}/physfn`, `${PCI}/${physical}`);
      functions.set(physical, (functions.get(physical) ?? 0) + 1);
    }
    for (const [address, number] of functions)
      sys.files({ [`${PCI}/${address}/sriov_numvfs`]: `${number}\n` });
    const reasons = await Promise.all(
      addresses.map(async (address) => (await whyNotOffered(sys, address)) ?? whyUnusable(sys, address, [])),
    );
    expect(
      reasons.flatMap((reason, index) => (reason === undefined ? [] : [[addresses[index], reason]])),
    ).toEqual([
      [
        "0000:45:00.0",
        "2 virtual functions of it are enabled (sriov_numvfs), so it cannot be given to user space",
      ],
      ["0000:45:00.1", "it is a virtual function of 0000:45:00.0"],
      ["0000:45:00.2", "it is a virtual function of 0000:45:00.0"],
    ]);
  });

  it("whyUnusable() names the VMD controller of a domain", async () => {
    const address = "10000:01:00.0";
    const path = `/sys/devices/pci0000:5d/0000:5d:05.5/pci10000:00/10000:00:02.0/${address}`;
    const sys = new FakeSysTree().files({ [`${path}/class`]: "0x010802" }).link(`${PCI}/${address}`, path);
    expect(await whyUnusable(sys, address, ["nvme0n1"])).toBe(
      "it is behind the VMD controller 0000:5d:05.5, which DAOS 0.8.0 does not support",
    );
  });
});
