import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { createLogger, silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BdevBackend, WipeProgress } from "./bdev-backend.ts";
import { BdevProvider } from "./bdev-provider.ts";
import { DeviceUses } from "./device-use.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { lbaFormatOf, paddedBase64Url } from "./nvme-command.ts";
import { SpdkBackend } from "./spdk-backend.ts";
import { FakeMachine } from "./testing/fake-machine.ts";
import { FakeSpdkTarget } from "./testing/fake-spdk-target.ts";

const A = "0000:22:00.0";
const B = "0000:42:00.0";
const SIZE = 1024 * 1024;
const TWO = [
  { address: A, serial: "VMNVME0000" },
  { address: B, serial: "VMNVME0001" },
];

/** What the contract needs from an implementation and its environment. */
interface Harness {
  readonly backend: BdevBackend;
  contents(address: string): Promise<Buffer>;
  /** Makes something use a controller. */
  use(address: string): void;
  /** Makes Format NVM succeed without doing anything. */
  idleFormat(): void;
  /** Makes Format NVM unknown to the controllers. */
  withoutFormat(): void;
  end(): Promise<void>;
}

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-bdev-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function kernelHarness(): Promise<Harness> {
  const machine = new FakeMachine({
    controllers: TWO.map((entry, index) => ({ ...entry, name: `nvme${index}`, numaNode: index, size: SIZE })),
    devDirectory: directory,
  });
  const { sys, runner, mounts } = machine;
  for (const name of ["nvme0", "nvme1"]) await writeFile(machine.device(name), Buffer.alloc(SIZE, 0xa5));
  const uses = new DeviceUses({ sys, mounts, runner, claim: () => Promise.resolve("free") });
  const backend = new KernelBackend({
    sys,
    runner,
    mounts,
    uses,
    devDirectory: directory,
    log: silentLogger,
  });
  const nameOf = (address: string) => `nvme${TWO.findIndex((entry) => entry.address === address)}`;
  return {
    backend,
    contents: (address) => readFile(machine.device(nameOf(address))),
    use: (address) => void mounts.mounted("/home", `/dev/${nameOf(address)}n1`, "ext4"),
    idleFormat: () => void runner.on("nvme format", "Success formatting namespace:1"),
    withoutFormat: () => void runner.on("nvme id-ctrl", '{"oacs":0}'),
    end: () => Promise.resolve(),
  };
}

async function spdkHarness(): Promise<Harness> {
  const controllers = TWO.map((entry) => ({ ...entry, contents: Buffer.alloc(SIZE, 0xa5), claimed: false }));
  const target = new FakeSpdkTarget(controllers);
  const socket = join(directory, "spdk.sock");
  await target.listen(socket);
  const find = (address: string) => controllers.find((entry) => entry.address === address);
  return {
    backend: new SpdkBackend({ socket }),
    contents: (address) => Promise.resolve(find(address)?.contents ?? Buffer.alloc(0)),
    use: (address) => {
      const controller = find(address);
      if (controller !== undefined) controller.claimed = true;
    },
    idleFormat: () => {
      target.onFormat = () => {};
    },
    withoutFormat: () => {
      target.formatStatus = 0x01;
    },
    end: () => target.close(),
  };
}

describe.each([
  ["KernelBackend", kernelHarness],
  ["SpdkBackend", spdkHarness],
])("the contract of BdevBackend: %s", (_, make) => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await make();
  });
  afterEach(() => harness.end());
  const isZero = async (address: string) => (await harness.contents(address)).every((byte) => byte === 0);

  it("knows identity, namespaces and health", async () => {
    const controllers = await harness.backend.scan();
    expect(controllers).toHaveLength(2);
    expect(controllers).toContainEqual(
      expect.objectContaining({
        pciAddress: A,
        model: "QEMU NVMe Ctrl",
        serial: "VMNVME0000",
        firmware: "7.2.22",
        namespaces: [{ id: 1, size: BigInt(SIZE) }],
        health: expect.objectContaining({ temperature: 323, powerCycles: 3n, temperatureWarning: false }),
      }),
    );
  });

  it("wipes one controller and leaves the other", async () => {
    const progress: WipeProgress[] = [];
    await harness.backend.wipe(A, { onProgress: (entry) => progress.push(entry) });
    expect([await isZero(A), await isZero(B)]).toEqual([true, false]);
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    await harness.backend.wipe(A);
  });

  it("detects a format that did nothing", async () => {
    harness.idleFormat();
    await harness.backend.wipe(A);
    expect(await isZero(A)).toBe(true);
  });

  it("wipes a controller that does not support Format NVM", async () => {
    harness.withoutFormat();
    await harness.backend.wipe(A);
    expect(await isZero(A)).toBe(true);
  });

  it("refuses a controller that does not exist or is in use", async () => {
    await expect(harness.backend.wipe("0000:81:00.0")).rejects.toMatchObject({
      code: FaultCode.bdevMissingDevice,
      description: expect.stringContaining(`(found: ${A}, ${B})`),
    });
    harness.use(B);
    await expect(harness.backend.wipe(B)).rejects.toMatchObject({ code: FaultCode.bdevInUse });
    expect(await isZero(B)).toBe(false);
  });

  it("ends when its signal aborts", async () => {
    await expect(harness.backend.scan({ signal: AbortSignal.abort("stop") })).rejects.toBe("stop");
    const controller = new AbortController();
    const work = harness.backend.wipe(A, {
      signal: controller.signal,
      onProgress: () => controller.abort("stop"),
    });
    await expect(work).rejects.toBe("stop");
  });
});

describe("paddedBase64Url()", () => {
  it.each([
    [64, 88],
    [63, 84],
    [65, 88],
    [0, 0],
  ])("paddedBase64Url() makes of %i bytes %i characters, a multiple of four", (bytes, characters) => {
    const text = paddedBase64Url(Buffer.alloc(bytes, 0xfb));
    expect(text).toHaveLength(characters);
    expect(text).toMatch(/^[\w-]*={0,2}$/);
  });
});

describe("lbaFormatOf()", () => {
  it.each([
    [0x00, 0],
    [0x04, 4],
    [0x10, 0],
    [0x23, 0x13],
    [0x6f, 0x3f],
  ])("flags %i are format %i", (flags, format) => {
    const identify = Buffer.alloc(4096);
    identify.writeUInt8(flags, 26);
    expect(lbaFormatOf(identify)).toBe(format);
  });
});

describe("SpdkBackend", () => {
  it("has no controllers without a target", async () => {
    expect(await new SpdkBackend({ socket: join(directory, "none") }).scan()).toEqual([]);
  });

  it("attaches a controller that the target does not drive yet", async () => {
    const target = new FakeSpdkTarget([
      { address: A, serial: "S", contents: Buffer.alloc(SIZE, 1), detached: true },
    ]);
    await target.listen(join(directory, "spdk.sock"));
    const backend = new SpdkBackend({ socket: join(directory, "spdk.sock") });
    expect(await backend.scan()).toEqual([]);
    await backend.wipe(A);
    expect(target.called.filter((method) => method === "bdev_nvme_send_cmd").length).toBeGreaterThan(2);
    expect(target.called).toContain("bdev_nvme_attach_controller");
    await target.close();
  });

  it("ignores a target that belongs to another user", async () => {
    const target = new FakeSpdkTarget([{ address: A, serial: "S", contents: Buffer.alloc(SIZE) }]);
    const socket = join(directory, "spdk.sock");
    await target.listen(socket);
    const { uid } = await stat(socket);
    await expect(new SpdkBackend({ socket, trustedUids: [uid + 1] }).scan()).rejects.toMatchObject({
      code: FaultCode.bdevSpdkFailed,
      reason: expect.stringContaining(`belongs to user ${uid}`),
    });
    expect(target.called).toEqual([]);
    await target.close();
  });

  it("still lists the kernel's controllers when the target fails", async () => {
    const machine = new FakeMachine({
      controllers: [{ address: B, name: "nvme0", serial: "S", numaNode: 1, size: SIZE }],
    });
    const { sys, runner, mounts } = machine;
    const socket = join(directory, "spdk.sock");
    const deaf = createServer((connection) => void connection.resume().end("nonsense}"));
    await new Promise<void>((resolve) => deaf.listen(socket, resolve));
    const backends = [
      new SpdkBackend({ socket }),
      new KernelBackend({ sys, runner, mounts, log: silentLogger }),
    ];
    const records: string[] = [];
    const log = createLogger(({ message }) => records.push(message), { level: "WARN", component: "test" });
    const bdev = new BdevProvider({ sys, runner, mounts, backends, log });
    expect(await bdev.scan()).toMatchObject([{ pciAddress: B, source: "kernel" }]);
    expect(records).toEqual(["spdk is left out of the scan"]);
    await new Promise((resolve) => deaf.close(resolve));
  });

  it("takes precedence over the kernel, which adds the place on the bus", async () => {
    const target = new FakeSpdkTarget([{ address: B, serial: "S", contents: Buffer.alloc(SIZE) }]);
    await target.listen(join(directory, "spdk.sock"));
    const machine = new FakeMachine({
      controllers: [{ address: B, name: "nvme0", serial: "S", numaNode: 1, size: SIZE }],
    });
    const { sys, runner, mounts } = machine;
    machine.modules.add("vfio-pci");
    sys.files({ [`/sys/bus/pci/devices/${B}/driver_override`]: "vfio-pci" });
    await sys.write("/sys/bus/pci/drivers/nvme/unbind", B);
    await sys.write("/sys/bus/pci/drivers_probe", B);
    const backends = [
      new SpdkBackend({ socket: join(directory, "spdk.sock") }),
      new KernelBackend({ sys, runner, mounts, log: silentLogger }),
    ];
    const bdev = new BdevProvider({ sys, runner, mounts, backends, log: silentLogger });
    expect(await bdev.scan()).toEqual([
      expect.objectContaining({
        pciAddress: B,
        serial: "S",
        source: "spdk",
        numaNode: 1,
        driver: "vfio-pci",
        pciId: "1b36:0010",
      }),
    ]);
    await target.close();
  });
});
