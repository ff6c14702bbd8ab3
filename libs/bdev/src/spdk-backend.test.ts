import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { createLogger } from "@daos/log";
import { FakeCommandRunner } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WipeProgress } from "./bdev-backend.ts";
import { JsonStream, parseExactly } from "./json-stream.ts";
import { formatCommand, maxTransferOf } from "./nvme-command.ts";
import { readSmartLog } from "./smart-log.ts";
import { SpdkBackend, type SpdkBackendOptions } from "./spdk-backend.ts";
import { SpdkConnection, SpdkConnectionLost } from "./spdk-connection.ts";
import type { FakeSpdkController } from "./testing/fake-spdk-drive.ts";
import { type FakeSpdkOptions, FakeSpdkTarget } from "./testing/fake-spdk-target.ts";

const A = "0000:22:00.0";
const B = "0000:42:00.0";
const MiB = 1024 * 1024;

let directory = "";
let target: FakeSpdkTarget | undefined;
const warnings: string[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-spdk-"));
  warnings.length = 0;
});
afterEach(async () => {
  await target?.close();
  target = undefined;
  await rm(directory, { recursive: true });
});

const drive = (address: string, options: Partial<FakeSpdkController> = {}): FakeSpdkController => ({
  address,
  serial: `S${address.slice(5, 7)}`,
  contents: Buffer.alloc(MiB, 0xa5),
  ...options,
});

async function setUp(
  controllers: readonly FakeSpdkController[],
  options: FakeSpdkOptions & SpdkBackendOptions = {},
) {
  const socket = join(directory, "spdk.sock");
  target = new FakeSpdkTarget(controllers, options);
  await target.listen(socket);
  const log = createLogger((record) => warnings.push(`${record.message} ${String(record.fields?.reason)}`), {
    level: "WARN",
    component: "test",
  });
  return { target, backend: new SpdkBackend({ socket, log, ...options }) };
}

describe("SpdkBackend.scan()", () => {
  it("reads temperature and warnings from the log page, because some targets lack warnings and wrap below 273 K", async () => {
    for (const release of ["v23.01", "v24.09"] as const) {
      const { backend } = await setUp([drive(A, { kelvin: 0, criticalWarning: 2 })], { release });
      const [controller] = await backend.scan();
      expect(controller?.health).toMatchObject({
        temperature: 0,
        temperatureWarning: true,
        spareWarning: false,
      });
      await target?.close();
    }
  });

  it.each([
    ["v21.07", 0],
    ["v22.01", 0],
    ["v24.09", 1],
  ] as const)(
    "reads the controllers of %s, and the NUMA node where it is said",
    async (release, numaNode) => {
      const { backend } = await setUp([drive(A, { numaNode: 1 })], { release });
      expect(await backend.scan()).toMatchObject([
        { pciAddress: A, serial: "S22", numaNode, namespaces: [{ id: 1, size: BigInt(MiB) }] },
      ]);
    },
  );

  it.each([
    [{ version: "SPDK v21.04", fields: { major: 21, minor: 4 } }, "SPDK v21.04"],
    [{ version: "SPDK v19.10", fields: { major: 19, minor: 10 } }, "SPDK v19.10"],
    [{}, "an SPDK of an unknown release"],
  ])("refuses a target that is too old, and names its release: %o", async (version, named) => {
    const { backend } = await setUp([drive(A)], { version });
    const fault = { code: FaultCode.bdevSpdkFailed };
    const reason = expect.stringContaining(`${named}, and the oldest that is supported is v21.07`) as string;
    await expect(backend.scan()).rejects.toMatchObject({ ...fault, reason });
    await expect(backend.wipe(A)).rejects.toMatchObject({ ...fault, reason });
  });

  it.skipIf(process.getuid?.() === 0)(
    "names the way to get access to a target that refuses this user",
    async () => {
      const { backend } = await setUp([drive(A)]);
      await chmod(join(directory, "spdk.sock"), 0);
      await expect(backend.scan()).rejects.toMatchObject({
        code: FaultCode.bdevSpdkFailed,
        resolution: expect.stringContaining("write access to its socket") as string,
      });
    },
  );

  it("identifies a controller without namespaces", async () => {
    const { backend } = await setUp([drive(A, { withoutNamespaces: true })]);
    expect(await backend.scan()).toMatchObject([
      { pciAddress: A, model: "QEMU NVMe Ctrl", serial: "S22", firmware: "7.2.22", namespaces: [] },
    ]);
    await expect(backend.wipe(A)).rejects.toMatchObject({ code: FaultCode.bdevFormatFailed });
  });

  it("marks a drive that hangs, shows the others, and starts no further calls to it", async () => {
    const stuck = Promise.withResolvers<void>();
    const hung = drive(A, { hang: stuck.promise });
    const { backend, target: fake } = await setUp([hung, drive(B)], { scanTimeoutMs: 500 });
    for (let scan = 0; scan < 3; scan += 1) {
      expect(await backend.scan()).toMatchObject([
        { pciAddress: A, serial: "S22", health: undefined },
        { pciAddress: B, serial: "S42", health: { temperature: 323 } },
      ]);
    }
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toContain("did not answer bdev_nvme_send_cmd within 500 ms");
    // In all one command to the hung drive, and in each scan one to the other, over one connection.
    expect(fake.called.filter((method) => method === "bdev_nvme_send_cmd")).toHaveLength(4);
    expect(fake.connections.size).toBe(1);
    delete hung.hang;
    stuck.resolve();
    await expect
      .poll(async () => (await backend.scan()).map(({ health }) => health?.temperature))
      .toEqual([323, 323]);
  });

  it("reconnects to a target that was restarted", async () => {
    const { backend } = await setUp([drive(A)]);
    expect(await backend.scan()).toHaveLength(1);
    await target?.close();
    expect(await backend.scan()).toEqual([]);
    target = new FakeSpdkTarget([drive(A), drive(B)]);
    await target.listen(join(directory, "spdk.sock"));
    expect(await backend.scan()).toHaveLength(2);
  });
});

describe("SpdkBackend.wipe()", () => {
  const isZero = (controller: FakeSpdkController) => controller.contents.every((byte) => byte === 0);

  it.each(["nbd", "ublk", "iscsi", "vhost-blk", "vhost-scsi"] as const)(
    "refuses a controller that the target exports by %s, which does not claim it",
    async (exported) => {
      const controller = drive(A, { exported });
      const { backend } = await setUp([controller]);
      await expect(backend.wipe(A)).rejects.toMatchObject({
        code: FaultCode.bdevInUse,
        description: expect.stringContaining("the SPDK target exports Nvme_S22n1 as ") as string,
      });
      expect(controller.contents.every((byte) => byte === 0xa5)).toBe(true);
    },
  );

  it("names the lvolstore that claims a controller, and how to remove it", async () => {
    const { backend } = await setUp([drive(A, { lvolstore: "old" })]);
    await expect(backend.wipe(A)).rejects.toMatchObject({
      code: FaultCode.bdevInUse,
      description: expect.stringContaining("the lvolstore old is on it") as string,
      resolution: expect.stringContaining("rpc.py bdev_lvol_delete_lvstore -u 2b6b7b3d") as string,
    });
  });

  it("waits until the target has examined a new device, because a volume on it claims it only then", async () => {
    const controller = drive(A);
    const { backend, target: fake } = await setUp([controller]);
    fake.onExamined = () => {
      controller.claimed = true;
    };
    await expect(backend.wipe(A, { reformat: true })).rejects.toMatchObject({ code: FaultCode.bdevInUse });
    expect(controller.contents.every((byte) => byte === 0xa5)).toBe(true);
  });

  it("formats a controller while the target waits for another one that hangs, with a warning", async () => {
    const controller = drive(A);
    const { backend, target: fake } = await setUp([controller], { scanTimeoutMs: 100 });
    const never = Promise.withResolvers<void>();
    fake.onExamined = () => never.promise;
    await backend.wipe(A, { reformat: true });
    never.resolve();
    expect(isZero(controller)).toBe(true);
    expect(warnings.join()).toContain("the SPDK target does not end its look at its devices");
  });

  const others: readonly (readonly [string, Partial<FakeSpdkController>, boolean])[] = [
    ["there may be another one", { formatsAll: true, maxNamespaces: 2 }, false],
    ["there may be a detached one", { formatsAll: true, managesNamespaces: true }, false],
    ["there is no other one", { formatsAll: true }, true],
    ["each is formatted alone", { maxNamespaces: 2, managesNamespaces: true }, true],
  ];
  it.each(others)(
    "uses Format NVM of a controller only if that erases no other namespace: %s",
    async (_, options, isFormatted) => {
      const controller = drive(A, options);
      const { backend, target: fake } = await setUp([controller]);
      let formats = 0;
      fake.onFormat = ({ contents }) => {
        formats += 1;
        contents.fill(0);
      };
      await backend.wipe(A, { reformat: true });
      expect(formats).toBe(isFormatted ? 1 : 0);
      expect(isZero(controller)).toBe(true);
    },
  );

  it("refuses a namespace whose size the target does not say, which would count as empty", async () => {
    const { backend } = await setUp([drive(A, { contents: Buffer.alloc(0) })]);
    await expect(backend.wipe(A, { reformat: true })).rejects.toMatchObject({
      code: FaultCode.bdevFormatFailed,
      description: expect.stringContaining("does not say the number and size of Nvme_S22n1") as string,
    });
  });

  it("detaches the controller, so that an engine can use it", async () => {
    const controller = drive(A);
    const { backend, target: fake } = await setUp([controller, drive(B)]);
    await backend.wipe(A);
    expect(controller.detached).toBe(true);
    expect(fake.called.at(-1)).toBe("bdev_nvme_detach_controller");
    expect(await backend.scan()).toMatchObject([{ pciAddress: B }]);
  });

  it.each([
    [4, 64 * 1024],
    [1, 8 * 1024],
    [0, 512 * 1024],
    [12, 512 * 1024],
  ])("reads at most the maximum transfer of the controller: MDTS %i is %i bytes", async (mdts, most) => {
    const controller = drive(A, { mdts });
    const { backend, target: fake } = await setUp([controller]);
    // Without consent, what the controller holds is read first.
    await backend.wipe(A, { reformat: true });
    expect(isZero(controller)).toBe(true);
    expect(Math.max(...fake.reads)).toBe(most);
    expect(fake.reads).toHaveLength(MiB / most);
  });

  it("wipes namespaces with blocks of 520 bytes, metadata included", async () => {
    const controller = drive(A, { blockSize: 520, contents: Buffer.alloc(520 * 3000, 1), namespaceId: 3 });
    const { backend } = await setUp([controller]);
    await backend.wipe(A);
    expect(isZero(controller)).toBe(true);
  });

  it("reports progress after each read", async () => {
    const { backend } = await setUp([drive(A, { mdts: 4 })]);
    const progress: WipeProgress[] = [];
    await backend.wipe(A, { onProgress: (entry) => progress.push(entry) });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    // 16 reads of 64 KiB share 70% of the bar.
    const steps = fractions.slice(1).map((fraction, at) => fraction - (fractions[at] ?? 0));
    expect(Math.max(...steps.slice(1))).toBeLessThan(0.05);
  });

  const swap = (blockSize: number) => {
    const contents = Buffer.alloc(blockSize * 8192);
    // The signature is at the end of the first page, after the metadata of its blocks.
    const at = 4086;
    const place = Math.floor(at / 512) * blockSize + (at % 512);
    contents.write("SWAPSPACE2", place);
    contents.writeUInt32LE(1, 2 * blockSize);
    contents.writeUInt32LE(255, 2 * blockSize + 4);
    return contents;
  };

  it.each([512, 520])(
    "checkWipe() and wipe() find what a namespace with blocks of %i bytes holds, which needs consent",
    async (blockSize) => {
      const controller = drive(A, { blockSize, contents: swap(blockSize) });
      const { backend, target: fake } = await setUp([controller]);
      const refusal = {
        code: FaultCode.bdevHoldsData,
        description: expect.stringMatching(/n1 holds swap$/) as string,
        resolution: expect.stringContaining("--reformat") as string,
      };
      await expect(backend.checkWipe(A)).rejects.toMatchObject(refusal);
      await expect(backend.wipe(A)).rejects.toMatchObject(refusal);
      expect(controller.contents.equals(swap(blockSize))).toBe(true);
      expect(fake.called).not.toContain("bdev_nvme_detach_controller");
      await backend.checkWipe(A, { reformat: true });
      await backend.wipe(A, { reformat: true });
      expect(isZero(controller)).toBe(true);
    },
  );

  it.each([
    ["the first header", 1],
    ["the last header only", 4095],
  ])("checkWipe() finds a GPT with blocks of 4,096 bytes: %s", async (_, block) => {
    const contents = Buffer.alloc(4096 * 4096);
    const controller = drive(A, { blockSize: 4096, contents });
    const { backend } = await setUp([controller]);
    await backend.checkWipe(A);
    contents.write("EFI PART", block * 4096);
    await expect(backend.checkWipe(A)).rejects.toMatchObject({
      code: FaultCode.bdevHoldsData,
      description: expect.stringMatching(/n1 holds gpt partition table$/) as string,
    });
  });

  it("wipe() does not continue when contents cannot be searched for", async () => {
    const controller = drive(A);
    const runner = new FakeCommandRunner().missing("blkid");
    const { backend } = await setUp([controller], { runner });
    await expect(backend.wipe(A)).rejects.toMatchObject({ code: FaultCode.missingSoftwareDependency });
    expect(isZero(controller)).toBe(false);
  });

  it("reports a controller that is removed during the verify as vanished", async () => {
    const { backend, target: fake } = await setUp([drive(A, { mdts: 4 }), drive(B)]);
    fake.onCommand = (controller) => {
      if (fake.reads.length === 3) controller.detached = true;
    };
    await expect(backend.wipe(A, { reformat: true })).rejects.toMatchObject({
      code: FaultCode.bdevVanished,
      description: expect.stringContaining("the SPDK target has lost the controller") as string,
    });
    // The target lives on.
    expect(await backend.scan()).toMatchObject([{ pciAddress: B }]);
  });

  it("reports the controller as vanished when the target closes the connection", async () => {
    const { backend, target: fake } = await setUp([drive(A, { mdts: 4 })]);
    fake.onCommand = () => {
      if (fake.reads.length === 3) void fake.close();
    };
    await expect(backend.wipe(A, { reformat: true })).rejects.toMatchObject({
      code: FaultCode.bdevVanished,
      description: expect.stringContaining("closed the connection") as string,
    });
  });

  it("delays a controller's further calls until an abandoned call has ended", async () => {
    const stuck = Promise.withResolvers<void>();
    const controller = drive(A);
    const { backend, target: fake } = await setUp([controller], { scanTimeoutMs: 500 });
    const stop = new AbortController();
    fake.onCommand = () => {
      controller.hang = stuck.promise;
      stop.abort("stop");
    };
    await expect(backend.wipe(A, { signal: stop.signal })).rejects.toBe("stop");
    const before = fake.called.filter((method) => method === "bdev_nvme_send_cmd").length;
    expect(await backend.scan()).toMatchObject([{ health: undefined }]);
    expect(fake.called.filter((method) => method === "bdev_nvme_send_cmd")).toHaveLength(before);
    fake.onCommand = () => {};
    delete controller.hang;
    stuck.resolve();
    await backend.wipe(A);
    expect(isZero(controller)).toBe(true);
  });
});

describe("SpdkConnection", () => {
  it("call() omits empty parameters, and reads several answers in one chunk", async () => {
    const received: string[] = [];
    const path = join(directory, "bare.sock");
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("data", (data) => {
        received.push(data.toString());
        if (received.join("").split("jsonrpc").length === 3)
          socket.write(
            '{"id":2,"result":"second"}\n{"id":1,"result":18446744073709551343}\n{"id":9,"result":0}',
          );
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const connection = new SpdkConnection(path);
    const calls = [connection.call("a", {}, { lane: "a" }), connection.call("b", { x: 1 }, { lane: "b" })];
    expect(await Promise.all(calls)).toEqual([18446744073709551343n, "second"]);
    expect(received.join("")).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"a"}{"jsonrpc":"2.0","id":2,"method":"b","params":{"x":1}}',
    );
    const lost = connection.call("c");
    for (const socket of sockets) socket.destroy();
    await expect(lost).rejects.toBeInstanceOf(SpdkConnectionLost);
    await new Promise((resolve) => server.close(resolve));
    await expect(connection.call("d")).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("JsonStream", () => {
  it("push() finds objects in chunks of any length", () => {
    const text = '{"a":"}\\""}\n {"b":{"c":[{}]}}';
    for (let length = 1; length <= text.length; length += 1) {
      const stream = new JsonStream();
      const found: unknown[] = [];
      for (let at = 0; at < text.length; at += length)
        found.push(...stream.push(text.slice(at, at + length)));
      expect(found).toEqual([{ a: '}"' }, { b: { c: [{}] } }]);
    }
    expect(() => new JsonStream().push("nonsense}")).toThrow(SyntaxError);
  });

  it("parseExactly() keeps whole numbers beyond 2^53, and leaves others as they are", () => {
    expect(parseExactly("[9007199254740993,1,1.5,1e300,-9007199254740993]")).toEqual([
      9007199254740993n,
      1,
      1.5,
      1e300,
      -9007199254740993n,
    ]);
  });
});

describe("readSmartLog()", () => {
  it("readSmartLog() reads every field, and a counter beyond 64 bits as the largest", () => {
    const page = Buffer.alloc(512);
    page.writeUInt8(0b10101, 0);
    page.writeUInt16LE(270, 1);
    page.writeUInt8(104, 5);
    for (const [at, value] of [
      [96, 1n],
      [112, 2n],
      [128, 3n],
      [144, 4n],
      [168, 5n],
      [176, 6n],
    ] as const)
      page.writeBigUInt64LE(value, at);
    page.writeUInt32LE(7, 192);
    page.writeUInt32LE(8, 196);
    expect(readSmartLog(page)).toEqual({
      temperature: 270,
      temperatureWarningTime: 7,
      temperatureCriticalTime: 8,
      controllerBusyTime: 1n,
      powerCycles: 2n,
      powerOnHours: 3n,
      unsafeShutdowns: 4n,
      mediaErrors: 2n ** 64n - 1n,
      errorLogEntries: 6n,
      spareWarning: true,
      temperatureWarning: false,
      reliabilityWarning: true,
      readOnlyWarning: false,
      volatileWarning: true,
      percentUsed: 104,
    });
  });
});

describe("raw commands", () => {
  it.each([
    [0x01, 0x00, 0x0001],
    [0x11, 0x09, 0x0131],
    [0x23, 0x00, 0x1003],
    [0x6f, 0x02, 0x304f],
  ])("formatCommand() keeps FLBAS %i and DPS %i", (flbas, dps, settings) => {
    const identify = Buffer.alloc(4096);
    identify.writeUInt8(flbas, 26);
    identify.writeUInt8(dps, 29);
    expect(formatCommand(1, identify).readUInt32LE(40)).toBe(settings);
  });

  it.each([
    [0, undefined],
    [4, 65_536],
    [7, 524_288],
  ])("maxTransferOf() reads MDTS %i as %s bytes", (mdts, bytes) => {
    const identify = Buffer.alloc(4096);
    identify.writeUInt8(mdts, 77);
    expect(maxTransferOf(identify)).toBe(bytes);
  });
});
