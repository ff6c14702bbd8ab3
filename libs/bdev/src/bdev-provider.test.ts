import { readFileSync } from "node:fs";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeCommandRunner, FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { BdevProvider } from "./bdev-provider.ts";
import type { BdevStorage } from "./bdev-types.ts";

const smartLog = readFileSync(new URL("../fixtures/nvme-cli-2.3-smart-log.json", import.meta.url), "utf8");

/** Two controllers of the kernel, one of vfio-pci, one device that is no controller. */
function machine() {
  const sys = new FakeSysTree();
  for (const [address, name, node] of [
    ["0000:42:00.0", "nvme1", 1],
    ["0000:22:00.0", "nvme0", 0],
  ] as const) {
    const device = `/sys/bus/pci/devices/${address}`;
    sys.files({
      [`${device}/class`]: "0x010802\n",
      [`${device}/numa_node`]: `${node}\n`,
      [`${device}/nvme/${name}/model`]: "QEMU NVMe Ctrl                          \n",
      [`${device}/nvme/${name}/serial`]: `VMNVME000${node}          \n`,
      [`${device}/nvme/${name}/firmware_rev`]: "7.2.22  \n",
      [`${device}/nvme/${name}/${name}n1/nsid`]: "1\n",
      [`${device}/nvme/${name}/${name}n1/size`]: "2097152\n",
      "/sys/bus/pci/drivers/nvme/module": "",
    });
    sys.link(`${device}/driver`, "../../drivers/nvme");
  }
  sys
    .files({
      "/sys/bus/pci/devices/0000:62:00.0/class": "0x010802",
      "/sys/bus/pci/devices/0000:62:00.0/numa_node": "-1",
      "/sys/bus/pci/drivers/vfio-pci/module": "",
      "/sys/bus/pci/devices/0000:00:03.0/class": "0x020000",
    })
    .link("/sys/bus/pci/devices/0000:62:00.0/driver", "../../drivers/vfio-pci");
  const runner = new FakeCommandRunner().on("nvme smart-log", smartLog);
  return { sys, runner, bdev: new BdevProvider({ runner, sys, log: silentLogger }) };
}

const nvme = (...list: string[]): BdevStorage => ({ class: "nvme", list, number: 0, sizeGB: 0 });

describe("scan", () => {
  it("finds the controllers of every driver", async () => {
    const { bdev } = machine();
    expect(await bdev.scan()).toEqual([
      {
        pciAddress: "0000:22:00.0",
        model: "QEMU NVMe Ctrl",
        serial: "VMNVME0000",
        firmware: "7.2.22",
        numaNode: 0,
        driver: "nvme",
        namespaces: [{ id: 1, size: 1073741824n }],
        health: expect.objectContaining({ temperature: 323 }),
        source: "kernel",
      },
      expect.objectContaining({ pciAddress: "0000:42:00.0", serial: "VMNVME0001", numaNode: 1 }),
      {
        pciAddress: "0000:62:00.0",
        model: "",
        serial: "",
        firmware: "",
        numaNode: 0,
        driver: "vfio-pci",
        namespaces: [],
        health: undefined,
        source: "pci",
      },
    ]);
  });

  it("has no controllers on a machine without a PCI bus", async () => {
    const bdev = new BdevProvider({
      runner: new FakeCommandRunner(),
      sys: new FakeSysTree(),
      log: silentLogger,
    });
    expect(await bdev.scan()).toEqual([]);
  });

  it.each([
    ["is not installed", (runner: FakeCommandRunner) => runner.missing("nvme")],
    ["fails", (runner: FakeCommandRunner) => runner.on("nvme smart-log", { exitCode: 1, stderr: "EACCES" })],
    ["prints garbage", (runner: FakeCommandRunner) => runner.on("nvme smart-log", "Usage: nvme")],
  ])("goes without health where nvme-cli %s", async (_, prepare) => {
    const { bdev, runner } = machine();
    prepare(runner);
    expect((await bdev.scan()).map(({ health }) => health)).toEqual([undefined, undefined, undefined]);
  });
});

describe("check", () => {
  it("names every controller that is missing, and those there are", async () => {
    const { bdev } = machine();
    await bdev.check(nvme("0000:22:00.0", "42:00.0"));
    await expect(bdev.check(nvme("0000:22:00.0", "0000:81:00.0", "0000:82:00.0"))).rejects.toMatchObject({
      code: FaultCode.bdevMissingDevice,
      description:
        "use NVMe controllers: there is none at 0000:81:00.0, 0000:82:00.0 (found: 0000:22:00.0, 0000:42:00.0, 0000:62:00.0)",
      resolution: expect.stringContaining("storage prepare"),
    });
  });

  it("has nothing to check for other classes", async () => {
    const { bdev } = machine();
    await bdev.check({ class: "file", list: ["/tmp/x"], number: 0, sizeGB: 1 });
  });
});

describe("format", () => {
  it.each<[BdevStorage["class"], readonly string[]]>([
    ["kdev", ["/dev/sdb", "/dev/sdc"]],
    ["file", ["/tmp/a"]],
    ["malloc", []],
  ])("reports class %s as done", async (kind, list) => {
    const { bdev, runner } = machine();
    const results = await bdev.format({ class: kind, list, number: 1, sizeGB: 1 });
    expect(results).toEqual(list.map((device) => ({ device })));
    expect(runner.ran).toEqual([]);
  });

  it("has a fault for a controller that is missing", async () => {
    const { bdev } = machine();
    expect(await bdev.format(nvme("0000:81:00.0"))).toEqual([
      { device: "0000:81:00.0", fault: expect.objectContaining({ code: FaultCode.bdevMissingDevice }) },
    ]);
  });
});
