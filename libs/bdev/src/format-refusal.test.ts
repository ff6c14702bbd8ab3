import { writeFileSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BdevProvider } from "./bdev-provider.ts";
import { DeviceUses } from "./device-use.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { FakeMachine } from "./testing/fake-machine.ts";
import { findData } from "./zero-ends.ts";

const MiB = 1024 * 1024;
const A = "0000:22:00.0";
const B = "0000:42:00.0";
const PCI = "/sys/bus/pci/devices";
const BLOCK = "/sys/class/block";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-refusal-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function setUp(size = MiB, namespacesMs?: number) {
  const machine = new FakeMachine({
    controllers: [
      { address: A, name: "nvme0", serial: "S0", numaNode: 0, size },
      { address: B, name: "nvme1", serial: "S1", numaNode: 1, size: MiB },
    ],
    devDirectory: directory,
  });
  await writeFile(machine.device("nvme0"), Buffer.alloc(size, 1));
  await writeFile(machine.device("nvme1"), Buffer.alloc(MiB, 1));
  const { sys, runner, mounts } = machine;
  const claim = () => Promise.resolve("free" as const);
  const uses = new DeviceUses({ sys, mounts, runner, devDirectory: directory, claim });
  const log = silentLogger;
  const backends = [
    new KernelBackend({ sys, runner, mounts, uses, devDirectory: directory, log, namespacesMs }),
  ];
  const bdev = new BdevProvider({ sys, runner, mounts, backends, log });
  const contents = () => readFile(machine.device("nvme0"));
  return { machine, sys, runner, mounts, bdev, contents };
}

type Context = Awaited<ReturnType<typeof setUp>>;
const storage = (...list: string[]) => ({ class: "nvme", list, number: 0, sizeGB: 0 }) as const;
const formats = ({ runner }: Context) => runner.ran.filter((line) => line.startsWith("nvme format"));

describe("BdevProvider.checkFormat()", () => {
  it("checkFormat() is empty for controllers that a format takes, and changes nothing", async () => {
    const context = await setUp();
    expect(await context.bdev.checkFormat(storage(A, B))).toEqual([]);
    expect(formats(context)).toEqual([]);
    expect(await context.contents()).toEqual(Buffer.alloc(MiB, 1));
  });

  it("checkFormat() returns the controllers that a format refuses, also those with a user-space driver", async () => {
    const context = await setUp();
    const { machine, bdev } = context;
    machine.contents.set("nvme0n1", "TYPE=xfs");
    await bdev.prepare({ hugepages: 2 });
    const refused = await bdev.checkFormat(storage(A, B, "0000:81:00.0"));
    expect(refused).toMatchObject([
      {
        device: A,
        fault: { code: FaultCode.bdevHoldsData, description: expect.stringContaining("nvme0n1 holds xfs") },
      },
      { device: "0000:81:00.0", fault: { code: FaultCode.bdevMissingDevice } },
    ]);
    expect(await machine.driverOf(A)).toBe("vfio-pci");
    expect(await bdev.checkFormat(storage(A, B), { reformat: true })).toEqual([]);
  });

  it("checkFormat() needs no consent for other classes", async () => {
    const { bdev } = await setUp();
    expect(await bdev.checkFormat({ class: "file", list: ["/f"], number: 0, sizeGB: 1 })).toEqual([]);
  });
});

describe("BdevProvider.format()", () => {
  it.each<[string, (context: Context) => void]>([
    [
      "nvme0n1 is zoned (host-managed)",
      ({ sys }) => void sys.files({ [`${BLOCK}/nvme0n1/queue/zoned`]: "host-managed" }),
    ],
    ["nvme0n1 has no size", ({ sys }) => void sys.files({ [`${BLOCK}/nvme0n1/size`]: "0" })],
    ["nvme0n1 is read-only", ({ sys }) => void sys.files({ [`${BLOCK}/nvme0n1/ro`]: "1" })],
    [
      "it has no namespaces",
      ({ sys, runner }) => {
        sys.remove(`${PCI}/${A}/nvme/nvme0/nvme0n1`);
        runner.on("nvme list-ns", '{"nsid_list":[]}');
      },
    ],
    [
      "4 virtual functions of it are enabled",
      ({ sys }) => void sys.files({ [`${PCI}/${A}/sriov_numvfs`]: "4" }),
    ],
  ])("format() and burnIn() refuse a controller before they change it: %s", async (reason, begin) => {
    const context = await setUp();
    begin(context);
    const { bdev } = context;
    const fault = { code: FaultCode.bdevFormatFailed, description: expect.stringContaining(reason) };
    expect(await bdev.format(storage(A), { reformat: true })).toMatchObject([{ fault }]);
    expect(await bdev.checkFormat(storage(A), { reformat: true })).toMatchObject([{ fault }]);
    expect(await bdev.burnIn([A], { durationMs: 1 })).toMatchObject([{ fault }]);
    expect(formats(context)).toEqual([]);
    expect(await context.contents()).toEqual(Buffer.alloc(MiB, 1));
  });

  it("format() keeps the block format of a controller that formats all namespaces at once", async () => {
    const context = await setUp();
    context.runner
      .on("nvme id-ctrl", '{"oacs":7,"fna":1,"nn":1}')
      .on("nvme id-ns", '{"nsze":244190646,"nlbaf":1,"flbas":1,"fpi":0}');
    expect(await context.bdev.format(storage(A))).toEqual([{ device: A }]);
    expect(formats(context)).toEqual([
      expect.stringContaining("nvme0n1 --ses=0 --lbaf=1 --ms=0 --pi=0 --pil=0 --force"),
    ]);
  });

  it.each([
    ["is detached or another controller's", '{"nsid_list":[{"nsid":1},{"nsid":4}]}', 0],
    ["is not there", '{"nsid_list":[{"nsid":1}]}', 1],
  ])(
    "format() lets no controller format all namespaces at once when one of them %s",
    async (_, answer, number) => {
      const context = await setUp();
      context.sys.files({ [`${BLOCK}/nvme0n1/nsid`]: "1" });
      context.runner
        .on("nvme id-ctrl", '{"oacs":10,"fna":1}')
        .on("nvme list-ns --output-format=json --all", answer);
      expect(await context.bdev.format(storage(A))).toEqual([{ device: A }]);
      expect(formats(context)).toHaveLength(number);
      expect(await context.contents()).toEqual(Buffer.alloc(MiB));
    },
  );

  it("format() waits for a namespace whose block device comes after the others", async () => {
    const context = await setUp();
    const late = context.machine.device("nvme0").replace(/n1$/, "n2");
    await writeFile(late, Buffer.alloc(MiB, 2));
    context.runner.on("nvme list-ns", () => {
      setTimeout(() => {
        context.sys.files({
          [`${PCI}/${A}/nvme/nvme0/nvme0n2/nsid`]: "7",
          [`${BLOCK}/nvme0n2/nsid`]: "7",
          [`${BLOCK}/nvme0n2/size`]: `${MiB / 512}`,
        });
      }, 100);
      return '{"nsid_list":[{"nsid":1},{"nsid":7}]}';
    });
    expect(await context.bdev.format(storage(A))).toEqual([{ device: A }]);
    expect(await readFile(late)).toEqual(Buffer.alloc(MiB));
  });

  it("format() waits for the block device of a multipath namespace, which comes after its path", async () => {
    const context = await setUp();
    // As Linux names them: by subsystem and controller, and the device by subsystem and its own counter.
    context.sys
      .remove(`${PCI}/${A}/nvme/nvme0/nvme0n1`)
      .files({ [`${PCI}/${A}/nvme/nvme0/nvme3c0n1/nsid`]: "1" });
    const late = context.machine.device("nvme3");
    context.runner.on("nvme list-ns", () => {
      setTimeout(() => {
        writeFileSync(late, Buffer.alloc(MiB, 2));
        context.sys.files({ [`${BLOCK}/nvme3n1/nsid`]: "1", [`${BLOCK}/nvme3n1/size`]: `${MiB / 512}` });
      }, 100);
      return '{"nsid_list":[{"nsid":1}]}';
    });
    expect(await context.bdev.format(storage(A))).toEqual([{ device: A }]);
    expect(await readFile(late)).toEqual(Buffer.alloc(MiB));
  });

  it("format() refuses a controller with a namespace that has no block device", async () => {
    const context = await setUp(MiB, 300);
    context.runner.on("nvme list-ns", '{"nsid_list":[{"nsid":1},{"nsid":7}]}');
    const fault = {
      code: FaultCode.bdevFormatFailed,
      description: expect.stringContaining("its namespace 7 has no block device"),
    };
    expect(await context.bdev.format(storage(A))).toMatchObject([{ fault }]);
    expect(formats(context)).toEqual([]);
    expect(await context.contents()).toEqual(Buffer.alloc(MiB, 1));
  });

  it.each(["NVMe status: Invalid Field in Command", "NVMe Status:INVALID_FIELD(2)"])(
    "format() takes the namespaces of the kernel from a controller that does not list its own: %s",
    async (stderr) => {
      const context = await setUp();
      context.runner.on("nvme version", "nvme version 2.3\n").on("nvme list-ns", { exitCode: 1, stderr });
      expect(await context.bdev.format(storage(A))).toEqual([{ device: A }]);
    },
  );

  it("format() changes nothing when the namespaces cannot be listed for another reason", async () => {
    const context = await setUp();
    context.runner
      .on("nvme version", "nvme version 2.3\n")
      .on("nvme list-ns", { exitCode: 1, stderr: "identify: Input/output error" });
    expect(await context.bdev.format(storage(A))).toMatchObject([
      { fault: { code: FaultCode.bdevToolFailed, reason: expect.stringContaining("Input/output error") } },
    ]);
    expect(formats(context)).toEqual([]);
    expect(await context.contents()).toEqual(Buffer.alloc(MiB, 1));
  });

  it("format() changes nothing when the settings of a namespace cannot be read", async () => {
    const context = await setUp();
    context.runner.on("nvme version", "nvme version 1.6\n").on("nvme id-ns", "NVME Identify Namespace 1:");
    expect(await context.bdev.format(storage(A))).toMatchObject([
      {
        fault: {
          code: FaultCode.bdevToolFailed,
          description: expect.stringMatching(/"nvme id-ns --output-format=json .*" \(nvme version 1\.6\)/),
        },
      },
    ]);
    expect(formats(context)).toEqual([]);
    expect(await context.contents()).toEqual(Buffer.alloc(MiB, 1));
  });

  it("format() reports a controller as vanished that the kernel is still removing", async () => {
    const { sys, runner, bdev } = await setUp();
    runner.on("nvme format", () => {
      sys.files({ [`${PCI}/${A}/nvme/nvme0/state`]: "deleting\n", [`${BLOCK}/nvme0n1/size`]: "0" });
      setTimeout(() => sys.remove(`${PCI}/${A}`), 300);
      return "Success formatting namespace:1";
    });
    expect(await bdev.format(storage(A))).toMatchObject([{ fault: { code: FaultCode.bdevVanished } }]);
  });
});

describe("BdevProvider.burnIn()", () => {
  it.each([40, 70])("burnIn() refuses a device with data at %i MiB only, and keeps it", async (offset) => {
    const context = await setUp(96 * MiB);
    const data = Buffer.alloc(96 * MiB);
    data.fill(7, offset * MiB + 5, offset * MiB + 50);
    await writeFile(context.machine.device("nvme0"), data);
    expect(await context.bdev.burnIn([A], { durationMs: 1 })).toMatchObject([
      {
        fault: {
          code: FaultCode.bdevBurnInFailed,
          description: expect.stringContaining(`byte ${offset * MiB + 5} of nvme0n1 is not empty`),
        },
      },
    ]);
    expect(data.equals(await context.contents())).toBe(true);
  });

  it("burnIn() overwrites nothing that appears while it runs", async () => {
    const context = await setUp(96 * MiB);
    await writeFile(context.machine.device("nvme0"), Buffer.alloc(96 * MiB));
    let flushes = 0;
    context.runner.on("blockdev --flushbufs", async () => {
      flushes += 1;
      // The first is that of the look at the whole device, the second that of the first window.
      if (flushes === 2) {
        const file = await open(context.machine.device("nvme0"), "r+");
        await file.write(Buffer.from("data"), 0, 4, 80 * MiB);
        await file.close();
      }
      return "";
    });
    expect(await context.bdev.burnIn([A], { durationMs: 1e9 })).toMatchObject([
      { fault: { description: expect.stringContaining(`byte ${80 * MiB} of nvme0n1 is not empty`) } },
    ]);
    expect((await context.contents()).subarray(80 * MiB, 80 * MiB + 4).toString()).toBe("data");
    // What it had written itself is removed.
    expect(context.runner.ran).toContainEqual(
      expect.stringMatching(new RegExp(`^blkdiscard --zeroout --length ${64 * MiB} `)),
    );
  });
});

describe("findData()", () => {
  it("findData() samples all parts of a device that is larger than what it reads", async () => {
    const path = join(directory, "device");
    const size = 1024 * MiB;
    const file = await open(path, "w");
    await file.truncate(size);
    await file.write(Buffer.alloc(64 * MiB, 3), 0, 64 * MiB, 500 * MiB);
    await file.close();
    const found = await findData(path, BigInt(size), { sampledBytes: 32 * MiB });
    expect(found).toBeGreaterThanOrEqual(500 * MiB);
    expect(found).toBeLessThan(564 * MiB);
  });
});
