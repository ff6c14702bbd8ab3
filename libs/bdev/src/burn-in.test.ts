import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allocateNamespaces } from "./allocate-namespaces.ts";
import { BdevProvider } from "./bdev-provider.ts";
import { type NvmeController, UNKNOWN_HEALTH } from "./bdev-types.ts";
import { burnIn, burnInFindings } from "./burn-in.ts";
import { DeviceUses } from "./device-use.ts";
import { byWarnings, type HealthSample, healthTrend, healthWarnings } from "./health.ts";
import { HealthHistory } from "./health-history.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { FakeMachine } from "./testing/fake-machine.ts";

const MiB = 1024 * 1024;
let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-bdev-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("burnIn()", () => {
  const clock = (step: number) => {
    let time = 0;
    return () => (time += step);
  };
  const flush = () => Promise.resolve();

  it("writes and verifies all of a device, over and over", async () => {
    const path = join(directory, "device");
    await writeFile(path, Buffer.alloc(3 * MiB));
    const fractions: number[] = [];
    const verdict = await burnIn(path, BigInt(3 * MiB), {
      durationMs: 60,
      now: clock(10),
      flush,
      windowBytes: 2 * MiB,
      onProgress: (fraction) => fractions.push(fraction),
    });
    expect(verdict).toMatchObject({ kind: "passed", errors: [], bytesWritten: verdict.bytesVerified });
    expect(verdict.bytesWritten).toBeGreaterThan(BigInt(3 * MiB));
    expect(fractions.at(-1)).toBe(1);
    expect((await readFile(path)).every((byte) => byte === 0)).toBe(false);
  });

  it("detects a device that loses data", async () => {
    const path = join(directory, "device");
    await writeFile(path, Buffer.alloc(2 * MiB));
    const verdict = await burnIn(path, BigInt(2 * MiB), {
      durationMs: 1,
      now: clock(10),
      flush: async () => {
        const file = await open(path, "r+");
        const byte = Buffer.alloc(1);
        await file.read(byte, 0, 1, MiB + 100);
        // The pattern is random: only a flipped bit is certain to differ from it.
        await file.write(
          byte.map((value) => value ^ 1),
          0,
          1,
          MiB + 100,
        );
        await file.close();
      },
    });
    expect(verdict.kind).toBe("failed");
    expect(verdict.errors).toEqual([
      {
        kind: "mismatch",
        offset: BigInt(MiB + 100),
        message: expect.stringContaining(`byte ${MiB + 100} is`),
      },
    ]);
  });

  it("gives up on a device that returns only errors", async () => {
    const path = join(directory, "device");
    await writeFile(path, Buffer.alloc(MiB));
    const verdict = await burnIn(path, BigInt(MiB), {
      durationMs: 1e9,
      now: clock(10),
      flush: () => Promise.reject(new Error("EIO")),
    });
    expect(verdict.kind).toBe("failed");
    expect(verdict.errors).toHaveLength(8);
    expect(verdict.errors[0]).toEqual({ kind: "write", offset: 0n, message: "EIO" });
  });

  it("ends with a verdict when its signal aborts", async () => {
    const path = join(directory, "device");
    await writeFile(path, Buffer.alloc(MiB));
    const controller = new AbortController();
    const verdict = await burnIn(path, BigInt(MiB), {
      durationMs: 1e9,
      now: clock(10),
      flush,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(verdict).toMatchObject({ kind: "aborted", errors: [] });
  });
});

describe("burnInFindings()", () => {
  it("are new errors and present warnings", () => {
    const after = { ...UNKNOWN_HEALTH, mediaErrors: 5n, errorLogEntries: 9n, spareWarning: true };
    expect(burnInFindings({ ...UNKNOWN_HEALTH, mediaErrors: 3n, errorLogEntries: 9n }, after)).toEqual([
      "2 media errors",
      "its spare capacity is below the threshold",
    ]);
    expect(burnInFindings(UNKNOWN_HEALTH, UNKNOWN_HEALTH)).toEqual([]);
  });
});

describe("BdevProvider.burnIn", () => {
  function setUp() {
    const controllers = ["0000:22:00.0", "0000:42:00.0"].map((address, index) => ({
      address,
      name: `nvme${index}`,
      serial: `S${index}`,
      numaNode: index,
      size: 2 * MiB,
    }));
    const machine = new FakeMachine({ controllers, devDirectory: directory });
    const { sys, runner, mounts } = machine;
    const uses = new DeviceUses({ sys, mounts, runner, claim: () => Promise.resolve("free") });
    const backends = [
      new KernelBackend({ sys, runner, mounts, uses, devDirectory: directory, log: silentLogger }),
    ];
    const bdev = new BdevProvider({ sys, runner, mounts, backends, log: silentLogger });
    return { machine, bdev };
  }

  it("refuses a format during a burn-in, and allows it afterwards", async () => {
    const { machine, bdev } = setUp();
    for (const name of ["nvme0", "nvme1"]) await writeFile(machine.device(name), Buffer.alloc(2 * MiB));
    const storage = { class: "nvme", list: ["0000:22:00.0", "0000:42:00.0"], number: 0, sizeGB: 0 } as const;
    const stop = new AbortController();
    const begun = Promise.withResolvers<void>();
    const burning = bdev.burnIn(["22:00.0"], {
      durationMs: 1e9,
      signal: stop.signal,
      onProgress: ({ fraction }) => fraction > 0 && begun.resolve(),
    });
    await begun.promise;
    const [refused, other] = await bdev.format(storage);
    expect(refused?.fault).toMatchObject({
      code: FaultCode.bdevInUse,
      description: "cannot format the NVMe controller 0000:22:00.0: it is being burnt in",
    });
    expect(other?.fault).toBeUndefined();
    stop.abort();
    expect(await burning).toMatchObject([{ verdict: { kind: "aborted" } }]);
    expect(await bdev.format(storage)).toEqual(storage.list.map((device) => ({ device })));
  });

  it("passes empty controllers, leaves them empty, and refuses a controller with data", async () => {
    const { machine, bdev } = setUp();
    await writeFile(machine.device("nvme0"), Buffer.alloc(2 * MiB));
    await writeFile(machine.device("nvme1"), Buffer.alloc(2 * MiB, 7));
    const results = await bdev.burnIn(["22:00.0", "0000:42:00.0", "0000:81:00.0"], { durationMs: 1 });
    expect(results).toMatchObject([
      { device: "22:00.0", verdict: { kind: "passed", bytesVerified: BigInt(2 * MiB) } },
      { device: "0000:42:00.0", fault: { code: FaultCode.bdevBurnInFailed } },
      { device: "0000:81:00.0", fault: { code: FaultCode.bdevMissingDevice } },
    ]);
    expect((await readFile(machine.device("nvme0"))).every((byte) => byte === 0)).toBe(true);
    expect((await readFile(machine.device("nvme1"))).every((byte) => byte === 7)).toBe(true);
  });
});

describe("healthWarnings() and HealthHistory", () => {
  const controller = (pciAddress: string, health: NvmeController["health"]): NvmeController => ({
    pciAddress,
    pciId: "1b36:0010",
    model: "m",
    serial: `S-${pciAddress}/..`,
    firmware: "f",
    numaNode: 0,
    driver: "nvme",
    namespaces: [{ id: 1, size: 100n }],
    health,
    source: "kernel",
  });

  it("has the worst warnings first", () => {
    expect(
      healthWarnings({
        ...UNKNOWN_HEALTH,
        temperatureWarning: true,
        readOnlyWarning: true,
        percentUsed: 120,
      }),
    ).toEqual([
      "it has become read-only",
      "its temperature is beyond the threshold",
      "120% of its rated life is used",
    ]);
    const list = byWarnings([
      controller("0000:01:00.0", undefined),
      controller("0000:03:00.0", { ...UNKNOWN_HEALTH, spareWarning: true }),
      controller("0000:02:00.0", UNKNOWN_HEALTH),
    ]);
    expect(list.map(({ pciAddress }) => pciAddress)).toEqual([
      "0000:03:00.0",
      "0000:01:00.0",
      "0000:02:00.0",
    ]);
  });

  it("keeps a history by serial number, bounded, in steps", async () => {
    const history = new HealthHistory({ directory: join(directory, "health"), keep: 3, everyMs: 3_600_000 });
    const at = (hours: number) => new Date(Date.UTC(2026, 0, 1, hours));
    const device = (mediaErrors: bigint) => controller("0000:01:00.0", { ...UNKNOWN_HEALTH, mediaErrors });
    for (const [hours, errors] of [
      [0, 0n],
      [0.2, 0n],
      [0.4, 1n],
      [1.2, 2n],
      [2.4, 3n],
      [3.6, 4n],
    ] as const) {
      await history.record([device(errors), controller("0000:02:00.0", undefined)], at(hours));
    }
    const samples = await history.read(device(0n).serial);
    expect(samples.map(({ mediaErrors }) => mediaErrors)).toEqual([2, 3, 4]);
    expect(await readdir(join(directory, "health"))).toEqual(["S-0000_01_00_0___.jsonl"]);
    expect(await history.read("unknown")).toEqual([]);
    await writeFile(join(directory, "health", "S-0000_01_00_0___.jsonl"), "{\nnull\n");
    expect(await history.read(device(0n).serial)).toEqual([]);
  });

  it("shows a trend", () => {
    const sample = (day: number, changes: Partial<HealthSample>): HealthSample => ({
      time: new Date(Date.UTC(2026, 0, day)).toISOString(),
      temperature: 300,
      mediaErrors: 0,
      errorLogEntries: 0,
      unsafeShutdowns: 0,
      percentUsed: 10,
      warnings: 0,
      ...changes,
    });
    expect(
      healthTrend([
        sample(1, {}),
        sample(2, { temperature: 340 }),
        sample(11, { mediaErrors: 20, percentUsed: 20 }),
      ]),
    ).toEqual({
      samples: 3,
      days: 10,
      mediaErrorsPerDay: 2,
      errorLogEntriesPerDay: 0,
      daysLeft: 80,
      highestTemperature: 340,
    });
    expect(healthTrend([])).toBeUndefined();
    expect(healthTrend([sample(1, {})])).toBeUndefined();
    expect(healthTrend([sample(1, {}), sample(2, {})])?.daysLeft).toBeUndefined();
  });

  it("shows which namespace serves which engine", () => {
    const bdev = { class: "nvme", list: ["02:00.0"], number: 0, sizeGB: 0 } as const;
    expect(
      allocateNamespaces(
        [controller("0000:01:00.0", undefined), controller("0000:02:00.0", undefined)],
        [{ index: 1, bdev }],
      ).map(({ pciAddress, engine }) => [pciAddress, engine]),
    ).toEqual([
      ["0000:01:00.0", undefined],
      ["0000:02:00.0", 1],
    ]);
  });
});
