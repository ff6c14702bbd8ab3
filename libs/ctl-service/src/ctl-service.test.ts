import { mkdtempSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import {
  type BurnInVerdict,
  type DeviceProgress,
  faultInUse,
  type HealthSample,
  type NvmeController,
  UNKNOWN_HEALTH,
} from "@daos/bdev";
import type { BdevConfig, ScmConfig } from "@daos/config";
import { followerOf } from "@daos/election/testing";
import { Fault, FaultCode } from "@daos/fault";
import { Harness } from "@daos/harness";
import type { EngineFormatOptions, EngineInstance, InstanceFormatResult } from "@daos/instance";
import { levelSwitch, silentLogger } from "@daos/log";
import { ctl } from "@daos/proto";
import { serviceContract } from "@daos/proto/testing";
import { audienceKey, faultInterceptor, fromConnectError } from "@daos/rpc";
import type { ScmScan } from "@daos/scm";
import { delay } from "@daos/sys";
import { SystemActions } from "@daos/system";
import { afterAll, describe, expect, it } from "vitest";
import { ctlService } from "./ctl-service.ts";
import type { CtlServiceOptions } from "./ctl-service-options.ts";

const asAdministrator: Interceptor = (next) => (request) => {
  request.contextValues.set(audienceKey, "operator");
  return next(request);
};

const unexpected = (what: string) => () => Promise.reject(new Error(`unexpected: ${what}`));

const refuse = {
  prepare: unexpected("prepare"),
  reset: unexpected("reset"),
  burnIn: unexpected("burn-in"),
};

/** A client of the service on parts that refuse every call but those given. */
function client(parts: Partial<CtlServiceOptions>): Client<typeof ctl.MgmtCtl> {
  const harness = new Harness([], silentLogger);
  const leadership = followerOf({ host: "node1", port: 10001 }, { host: "10.0.0.1", port: 10001 });
  const calls = {
    prepShutdown: unexpected("prep shutdown"),
    killRank: unexpected("kill rank"),
    startRank: unexpected("start rank"),
    eraseRank: unexpected("erase rank"),
  };
  const options: CtlServiceOptions = {
    harness,
    leadership,
    scm: { scan: unexpected("scm scan"), prepare: unexpected("scm prepare"), reset: unexpected("scm reset") },
    bdev: {
      scan: unexpected("bdev scan"),
      prepare: unexpected("bdev prepare"),
      reset: unexpected("bdev reset"),
      burnIn: unexpected("bdev burn-in"),
    },
    history: undefined,
    controllers: { include: [], exclude: ["0000:83:00.0"] },
    findUser: unexpected("find user"),
    network: { listProviders: () => [], scan: unexpected("network scan") },
    actions: new SystemActions({ leadership, harness, calls, log: silentLogger }),
    log: silentLogger,
    support: { directory: "node1", items: () => [] },
    release: { version: "1.2.3", daosRelease: "0.8.0" },
    logLevel: levelSwitch("INFO"),
    configuration: { file: "", describe: unexpected("describe the configuration") as never },
    ...parts,
  };
  const transport = createRouterTransport((router) => router.service(ctl.MgmtCtl, ctlService(options)), {
    router: { interceptors: [asAdministrator, faultInterceptor] },
  });
  return createClient(ctl.MgmtCtl, transport);
}

const scan: ScmScan = {
  modules: [
    {
      physicalId: 28,
      socket: 0,
      memoryController: 1,
      channel: 2,
      channelPosition: 1,
      capacity: 539_661_172_736n,
    },
  ],
  namespaces: [
    { uuid: "u", blockdev: "pmem0", dev: "namespace0.0", numaNode: 1, size: 3_183_575_302_144n, mode: "raw" },
  ],
  notes: ["ipmctl is not installed"],
};
const controller: NvmeController = {
  pciAddress: "0000:81:00.0",
  pciId: "8086:2701",
  model: "INTEL SSDPED1K375GA",
  serial: "PHKS7335006W375AGN",
  firmware: "E2010420",
  numaNode: 1,
  driver: "vfio-pci",
  namespaces: [{ id: 1, size: 375_083_606_016n }],
  health: undefined,
  source: "pci",
};
const broken = new Fault({
  domain: "bdev",
  code: FaultCode.bdevUnknown,
  description: "no lspci",
  resolution: "install it",
});

describe("NetworkListProviders", () => {
  it.each(serviceContract().filter(({ rpc }) => rpc === "ctl.MgmtCtl/NetworkListProviders"))(
    "answers clients of release 0.8.0 byte for byte: $name",
    async (one) => {
      const network = { listProviders: () => ["ofi+sockets", "ofi+verbs;ofi_rxm"], scan: unexpected("scan") };
      const { input, output } = ctl.MgmtCtl.method.networkListProviders;
      const answer = await client({ network }).networkListProviders(fromBinary(input, one.in));
      expect(Buffer.from(toBinary(output, answer))).toEqual(Buffer.from(one.out));
    },
  );
});

describe("StorageScan", () => {
  it("sends the findings in the units of the wire, always with health", async () => {
    const service = client({
      scm: { ...refuse, scan: async () => scan },
      bdev: { ...refuse, scan: async () => [controller] },
    });
    const { scm, nvme } = await service.storageScan({});
    expect(scm?.modules[0]).toMatchObject({
      physicalid: 28,
      loc: { memctrlr: 1, channel: 2, channelpos: 1, socket: 0 },
    });
    expect(scm?.pmems[0]).toMatchObject({
      blockdev: "pmem0",
      numanode: 1,
      size: 3_183_575_302_144n,
      mode: "raw",
    });
    expect(scm?.state?.info).toBe("ipmctl is not installed");
    expect(nvme?.ctrlrs[0]?.namespaces).toMatchObject([{ id: 1, size: 375, ctrlrpciaddr: "0000:81:00.0" }]);
    expect(nvme?.ctrlrs[0]?.healthstats).toMatchObject({ temp: 0, ctrlrpciaddr: "0000:81:00.0" });
  });

  it("shows a device's engine, the source of its data and the trend of its history", async () => {
    const engine = {
      config: {
        index: 0,
        scm: { class: "dcpm", mount: "/mnt/daos0", device: "/dev/pmem0" },
        bdev: { class: "nvme", list: ["81:00.0", "83:00.0"], number: 0, sizeGB: 0 },
      },
    } as unknown as EngineInstance;
    const sample = (time: string, mediaErrors: number): HealthSample => ({
      time,
      temperature: 300,
      mediaErrors,
      errorLogEntries: 0,
      unsafeShutdowns: 0,
      percentUsed: 0,
      warnings: 0,
    });
    const service = client({
      harness: new Harness([engine], silentLogger),
      scm: { ...refuse, scan: async () => scan },
      bdev: {
        ...refuse,
        scan: async () => [
          { ...controller, source: "last-known" },
          { ...controller, pciAddress: "0000:82:00.0", serial: "other" },
          { ...controller, pciAddress: "0000:83:00.0", namespaces: [] },
        ],
      },
      history: {
        read: async (serial) =>
          serial === controller.serial
            ? [sample("2026-11-01T00:00:00Z", 1), sample("2026-11-03T00:00:00Z", 5)]
            : [],
      },
    });
    const { scm, nvme } = await service.storageScan({});
    expect(scm?.pmems[0]?.engine).toBe(0);
    expect(nvme?.ctrlrs[0]).toMatchObject({
      source: ctl.NvmeController_Source.LAST_KNOWN,
      driver: "vfio-pci",
      nohealth: true,
      namespaces: [{ bytes: 375_083_606_016n, engine: 0 }],
      trend: { samples: 2, days: 2, mediaErrorsPerDay: 2, highestTemp: 300 },
    });
    expect(nvme?.ctrlrs[1]?.namespaces[0]?.engine).toBeUndefined();
    expect(nvme?.ctrlrs.map(({ engine }) => engine)).toEqual([0, undefined, 0]);
    expect(nvme?.ctrlrs[1]?.trend).toBeUndefined();
  });

  it("storageScan() sends 0 for what the wire cannot hold, so that one device does not break the scan of the host", async () => {
    const wrong = {
      ...UNKNOWN_HEALTH,
      temperature: 18446744073709552000,
      percentUsed: -1,
      temperatureWarningTime: Number.NaN,
      powerCycles: 2n ** 64n,
      mediaErrors: 5n,
    };
    const service = client({
      scm: { ...refuse, scan: async () => scan },
      bdev: {
        ...refuse,
        scan: async () => [
          { ...controller, numaNode: Number.NaN, namespaces: [{ id: -1, size: -1n }], health: wrong },
          { ...controller, namespaces: [{ id: 0xffff_fffe, size: 1n }] },
        ],
      },
    });
    const { nvme } = await service.storageScan({});
    expect(nvme?.ctrlrs).toHaveLength(2);
    expect(nvme?.ctrlrs[0]).toMatchObject({
      socketid: 0,
      namespaces: [{ id: 0, bytes: 0n }],
      healthstats: { temp: 0, percentused: 0, tempwarntime: 0, powercycles: 0n, mediaerrors: 5n },
    });
  });

  it("does not let one part that fails hide the other", async () => {
    const service = client({
      scm: { ...refuse, scan: async () => scan },
      bdev: { ...refuse, scan: () => Promise.reject(broken) },
    });
    const { scm, nvme } = await service.storageScan({});
    expect(scm?.modules).toHaveLength(1);
    expect(nvme?.state).toMatchObject({
      status: ctl.ResponseStatus.CTL_ERR_NVME,
      error: 'bdev: code = 308 description = "no lspci"',
    });
  });
});

describe("StoragePrepare", () => {
  it("prepares the requested parts for the named user", async () => {
    const asked: unknown[] = [];
    const service = client({
      bdev: {
        ...refuse,
        scan: unexpected("scan"),
        prepare: async ({ signal: _, ...options } = {}) => {
          asked.push(options);
          return {
            controllers: [
              { kind: "bound", pciAddress: "0000:81:00.0", driver: "vfio-pci" },
              { kind: "skipped", pciAddress: "0000:82:00.0", reason: "it is mounted" },
            ],
            hugepages: [],
          };
        },
      },
      findUser: async (name) => ({ uid: name.length, gid: 7 }),
    });
    const { nvme, scm: none } = await service.storagePrepare({
      nvme: { pciwhitelist: "0000:81:00.0", nrhugepages: 4096, targetuser: "bob" },
    });
    expect(asked).toMatchObject([
      { whitelist: "0000:81:00.0", hugepages: 4096, owner: { uid: 3, gid: 7 }, exclude: ["0000:83:00.0"] },
    ]);
    expect(nvme?.state?.info).toBe(
      "0000:81:00.0 is bound to vfio-pci; 0000:82:00.0 is left as it is: it is mounted",
    );
    expect(none).toBeUndefined();
  });

  it("storagePrepare() reserves the hugepages of the configuration when the request has no number", async () => {
    const asked: unknown[] = [];
    const service = client({
      hugepages: 16,
      bdev: {
        ...refuse,
        scan: unexpected("scan"),
        prepare: async ({ hugepages } = {}) => {
          asked.push(hugepages);
          return { controllers: [], hugepages: [] };
        },
      },
    });
    await service.storagePrepare({ nvme: {} });
    await service.storagePrepare({ nvme: { nrhugepages: 4 } });
    expect(asked).toEqual([16, 4]);
  });

  it("storagePrepare() resets only the controllers of the configuration and the whitelist", async () => {
    const asked: unknown[] = [];
    const service = client({
      bdev: {
        ...refuse,
        scan: unexpected("scan"),
        reset: async ({ signal: _, ...options } = {}) => {
          asked.push(options);
          return { controllers: [], hugepages: [] };
        },
      },
    });
    await service.storagePrepare({ nvme: { reset: true, pciwhitelist: "0000:81:00.0" } });
    expect(asked).toMatchObject([{ whitelist: "0000:81:00.0", include: [], exclude: ["0000:83:00.0"] }]);
  });

  it("goes on with SCM when NVMe fails", async () => {
    const service = client({
      bdev: { ...refuse, scan: unexpected("scan"), reset: () => Promise.reject(broken) },
      scm: { ...refuse, scan: unexpected("scan"), reset: async () => ({ kind: "reboot-needed" }) },
    });
    const { nvme, scm: pmem } = await service.storagePrepare({ nvme: { reset: true }, scm: { reset: true } });
    expect(nvme?.state?.status).toBe(ctl.ResponseStatus.CTL_ERR_NVME);
    expect(pmem?.state).toMatchObject({
      status: ctl.ResponseStatus.CTL_SUCCESS,
      info: "reboot this host, then run storage prepare again",
    });
  });
});

describe("StorageUsage", () => {
  const directory = mkdtempSync(join(tmpdir(), "daos-usage-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const engine = (
    index: number,
    scm: ScmConfig,
    bdev: Partial<BdevConfig>,
    superblock: object | undefined = { rank: index + 5 },
  ) => ({
    index,
    superblock,
    config: { scm, bdev: { class: "nvme", list: [], number: 0, sizeGB: 0, ...bdev } },
  });
  const ram = (sizeGiB: number): ScmConfig => ({ class: "ram", mount: directory, sizeGiB });
  const usage = async (engines: readonly object[], parts: Partial<CtlServiceOptions> = {}) => {
    const harness = { instances: engines } as unknown as Harness;
    return (await client({ ...parts, harness }).storageUsage({})).engines;
  };
  const ok = { status: ctl.ResponseStatus.CTL_SUCCESS };

  it("returns the size of the file system, and no more than scm_size", async () => {
    const { blocks, bsize } = await statfs(directory, { bigint: true });
    const huge = Number((blocks * bsize) >> 30n) + 10;
    const [small, all] = await usage([engine(0, ram(1), {}), engine(1, ram(huge), {})]);
    expect(small).toMatchObject({ rank: 5, mount: directory, scmTotal: 1n << 30n, scmState: ok });
    expect(all).toMatchObject({ rank: 6, scmTotal: blocks * bsize, nvmeTotal: 0n, nvmeState: ok });
    expect(all?.scmAvailable).toBeLessThanOrEqual(all?.scmTotal ?? 0n);
  });

  it("counts the configured devices of every class, with one scan", async () => {
    let scans = 0;
    const scanning = {
      ...refuse,
      scan: async () => {
        scans++;
        return [controller];
      },
    };
    const found = await usage(
      [
        engine(0, ram(1), { list: ["0000:81:00.0"] }),
        engine(1, ram(1), { list: ["81:00.0", "0000:82:00.0"] }),
        engine(2, ram(1), { class: "malloc", number: 2, sizeGB: 4 }),
        engine(3, ram(1), { class: "file", list: ["/a", "/b", "/c"], sizeGB: 1 }),
        engine(4, ram(1), { class: "kdev", list: ["/dev/no-such-disk"] }),
      ],
      { bdev: scanning },
    );
    expect(scans).toBe(1);
    expect(found.map(({ nvmeTotal }) => nvmeTotal)).toEqual([
      375_083_606_016n,
      0n,
      7_999_995_904n,
      2_999_992_320n,
      0n,
    ]);
    expect(found.map(({ nvmeState }) => nvmeState?.status)).toEqual([0, -2, 0, 0, -2]);
    expect(found[1]?.nvmeState?.error).toContain("0000:82:00.0");
  });

  it("returns a fault for storage that is not formatted", async () => {
    const bare = { ...engine(0, ram(1), {}), superblock: undefined };
    const [found] = await usage([bare]);
    expect(found).toMatchObject({ scmTotal: 0n, scmState: { status: ctl.ResponseStatus.CTL_ERR_SCM } });
    expect(found?.rank).toBeUndefined();
  });
});

describe("ServerVersion", () => {
  it("ServerVersion() names the programs of this host", async () => {
    expect(await client({}).serverVersion({})).toMatchObject({
      name: "daos-server",
      version: "1.2.3",
      release: "0.8.0",
      runtime: expect.stringMatching(/^Node\.js \d+\./),
    });
  });
});

describe("SupportCollect", () => {
  const signal = AbortSignal.timeout(30_000);

  it("SupportCollect() sends an archive with its progress, and what is missing at the end", async () => {
    const support = {
      directory: "node1",
      items: (logBytes: number) => [
        { name: "log", read: async () => `at most ${logBytes}` },
        { name: "none", read: () => Promise.reject(new Error("there is none")) },
      ],
    };
    const chunks: Uint8Array[] = [];
    const others: unknown[] = [];
    for await (const { event } of client({ support }).supportCollect({ logMib: 2 }, { signal })) {
      if (event.case === "chunk") chunks.push(event.value);
      else others.push(event);
    }
    expect(gunzipSync(Buffer.concat(chunks)).toString()).toContain("at most 2097152");
    expect(others).toMatchObject([
      { case: "progress", value: { item: "log", done: 0, total: 2 } },
      { case: "progress", value: { item: "none", done: 1, total: 2 } },
      { case: "result", value: { missing: [{ item: "none", reason: "there is none" }] } },
    ]);
  });

  it("SupportCollect() refuses a second collection while one is under way, and takes the next one", async () => {
    const reading = Promise.withResolvers<string>();
    const support = { directory: "node1", items: () => [{ name: "slow", read: () => reading.promise }] };
    const service = client({ support });
    const first = service.supportCollect({}, { signal })[Symbol.asyncIterator]();
    expect((await first.next()).value).toMatchObject({ event: { case: "progress" } });
    const second = service.supportCollect({}, { signal })[Symbol.asyncIterator]();
    await expect(second.next()).rejects.toThrow("another collection is under way");
    reading.resolve("done");
    for (let next = await first.next(); next.done !== true; ) next = await first.next();
    const third = service.supportCollect({}, { signal })[Symbol.asyncIterator]();
    expect((await third.next()).value).toMatchObject({ event: { case: "progress" } });
    await third.return?.();
  });
});

describe("SetLogMasks", () => {
  it("changes the level, and goes back to the configured one", async () => {
    const logLevel = levelSwitch("INFO");
    const service = client({ logLevel });
    expect(await service.setLogMasks({ masks: "debug" })).toMatchObject({
      masks: "DEBUG",
      configured: "INFO",
    });
    expect(logLevel.level).toBe("DEBUG");
    expect(await service.setLogMasks({ reset: true })).toMatchObject({ masks: "INFO" });
    expect(logLevel.level).toBe("INFO");
  });

  it("refuses an unknown level", async () => {
    const logLevel = levelSwitch("INFO");
    const call = client({ logLevel }).setLogMasks({ masks: "DEBUG,MEM=ERR" });
    const error = await call.then(undefined, (reason: unknown) => reason);
    const fault = fromConnectError(error, { attempted: "set", host: "h" });
    expect(fault).toMatchObject({ code: FaultCode.usage });
    expect(fault.description).toContain("MEM=ERR");
    expect(logLevel.level).toBe("INFO");
  });
});

it("StorageFormat answers once, with a result for each mount point and device", async () => {
  const results: readonly InstanceFormatResult[] = [
    { mount: "/mnt/daos0", bdevs: [{ device: "0000:81:00.0" }, { device: "0000:82:00.0", fault: broken }] },
    { mount: "/mnt/daos1", scmFault: broken, bdevs: [] },
  ];
  const harness = { instances: [], format: async () => results } as unknown as Harness;
  const answers = await Array.fromAsync(client({ harness }).storageFormat({ reformat: false }));
  expect(answers).toHaveLength(1);
  expect(answers[0]?.mrets.map(({ mntpoint, state }) => [mntpoint, state?.status])).toEqual([
    ["/mnt/daos0", ctl.ResponseStatus.CTL_SUCCESS],
    ["/mnt/daos1", ctl.ResponseStatus.CTL_ERR_NVME],
  ]);
  expect(answers[0]?.crets.map(({ pciaddr, state }) => [pciaddr, state?.status])).toEqual([
    ["0000:81:00.0", ctl.ResponseStatus.CTL_SUCCESS],
    ["0000:82:00.0", ctl.ResponseStatus.CTL_ERR_NVME],
  ]);
});

describe("StorageFormatWatch", () => {
  const progress = (device: string, step: string, fraction: number): DeviceProgress => ({
    device,
    step,
    fraction,
    elapsedMs: 10,
    remainingMs: fraction === 0 ? undefined : 20,
  });

  it("streams the newest progress of each device, then the results", async () => {
    const harness = {
      instances: [],
      format: async ({ reformat, onProgress }: EngineFormatOptions) => {
        expect(reformat).toBe(true);
        onProgress?.(progress("/mnt/daos0", "format", 0));
        onProgress?.(progress("0000:81:00.0", "format", 0));
        onProgress?.(progress("0000:81:00.0", "format", 0.5));
        await delay(400);
        onProgress?.(progress("0000:81:00.0", "failed", 1));
        return [{ mount: "/mnt/daos0", bdevs: [{ device: "0000:81:00.0", fault: broken }] }];
      },
    } as unknown as Harness;
    const events = await Array.fromAsync(client({ harness }).storageFormatWatch({ reformat: true }));
    expect(
      events.map(({ event }) =>
        event.case === "progress"
          ? [event.value.device, event.value.step, event.value.fraction, event.value.remainingMs]
          : event.case,
      ),
    ).toEqual([
      ["/mnt/daos0", "format", 0, undefined],
      ["0000:81:00.0", "format", 0.5, 20n],
      ["0000:81:00.0", "failed", 1, 20n],
      "results",
    ]);
    const last = events.at(-1)?.event;
    expect(last?.case === "results" && last.value.crets[0]?.state?.status).toBe(
      ctl.ResponseStatus.CTL_ERR_NVME,
    );
  });

  it("is cancelled when its caller cancels", async () => {
    const ended = Promise.withResolvers<unknown>();
    const harness = {
      instances: [],
      format: async ({ signal, onProgress }: EngineFormatOptions) => {
        onProgress?.(progress("/mnt/daos0", "format", 0));
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        ended.resolve(signal.aborted);
        return [];
      },
    } as unknown as Harness;
    const stop = new AbortController();
    const events = client({ harness }).storageFormatWatch({}, { signal: stop.signal });
    await expect(
      (async () => {
        for await (const { event } of events) if (event.case === "progress") stop.abort();
      })(),
    ).rejects.toThrow();
    expect(await ended.promise).toBe(true);
  });
});

describe("StorageBurnIn", () => {
  const [A, B, C, D] = ["0000:81:00.0", "0000:82:00.0", "0000:83:00.0", "0000:84:00.0"] as const;
  const engine = (index: number, address: string, kind: string) =>
    ({
      index,
      state: { kind },
      superblock: undefined,
      config: { index, bdev: { class: "nvme", list: [address], number: 0, sizeGB: 0 } },
    }) as unknown as EngineInstance;
  const verdict: BurnInVerdict = {
    kind: "passed",
    bytesWritten: 10n,
    bytesVerified: 9n,
    elapsedMs: 1000,
    errors: [],
    findings: [],
  };
  const failed: BurnInVerdict = {
    ...verdict,
    kind: "failed",
    errors: [{ kind: "mismatch", offset: 512n, message: "byte 513 is 1, not 2" }],
    findings: ["2 media errors"],
  };
  /** A and D serve engines, C is excluded by the configuration. */
  function burn(devices: readonly string[], seconds = 0) {
    const asked: unknown[] = [];
    const service = client({
      harness: new Harness([engine(0, A, "awaiting format"), engine(1, D, "serving")], silentLogger),
      bdev: {
        ...refuse,
        scan: async () => [A, B, C, D].map((pciAddress) => ({ ...controller, pciAddress })),
        burnIn: async (list, { durationMs, onProgress } = {}) => {
          asked.push([list, durationMs]);
          return list.map((device) => {
            onProgress?.({ device, step: "write", fraction: 0.5, elapsedMs: 1, remainingMs: 1 });
            return device === A
              ? { device, verdict: failed }
              : { device, fault: faultInUse(`burn in ${device}`, "it is mounted") };
          });
        },
      },
    });
    const events = Array.fromAsync(service.storageBurnIn({ devices: [...devices], seconds }));
    const results = events.then((all) => {
      const last = all.at(-1)?.event;
      return last?.case === "results" ? last.value.results : [];
    });
    return { asked, results };
  }

  it("burns in every allowed controller, and leaves out those in use", async () => {
    const { asked, results } = burn([]);
    expect(await results).toMatchObject([
      {
        pciaddr: A,
        verdict: ctl.BurnInVerdict.BURN_IN_FAILED,
        state: { error: expect.stringContaining("bad at 1 places, first: mismatch at byte 512") },
        bytesWritten: 10n,
        findings: ["2 media errors"],
      },
      { pciaddr: B, verdict: ctl.BurnInVerdict.BURN_IN_SKIPPED, reason: expect.stringContaining("mounted") },
      { pciaddr: C, verdict: ctl.BurnInVerdict.BURN_IN_SKIPPED, reason: "it is in bdev_exclude" },
      {
        pciaddr: D,
        verdict: ctl.BurnInVerdict.BURN_IN_SKIPPED,
        reason: "it serves engine 1, which is serving",
      },
    ]);
    expect(asked).toEqual([[[A, B], 900_000]]);
  });

  it("fails for named controllers that cannot be burnt in", async () => {
    const { asked, results } = burn(["82:00.0", D], 60);
    expect(await results).toMatchObject([
      { pciaddr: B, verdict: ctl.BurnInVerdict.BURN_IN_NONE, state: { status: -2 } },
      { pciaddr: D, verdict: ctl.BurnInVerdict.BURN_IN_NONE, state: { status: -2 } },
    ]);
    expect(asked).toEqual([[[B], 60_000]]);
  });

  it.each([
    ["what is no address", ["/dev/nvme0"], 1],
    ["a day", [], 86_400],
  ])("refuses %s", async (_, devices, seconds) => {
    const error: unknown = await burn(devices, seconds).results.catch((reason: unknown) => reason);
    expect(fromConnectError(error, { attempted: "burn in", host: "a:1" })).toMatchObject({
      code: FaultCode.usage,
    });
  });
});

describe("devices that callers may not change", () => {
  const refused = (attempted: string) =>
    new Fault({
      domain: "security",
      code: FaultCode.notAuthorized,
      description: `${attempted} is refused`,
      resolution: "set the key",
    });
  const formatted: string[] = [];
  const engineOn = (scm: ScmConfig, bdev: BdevConfig) =>
    ({
      config: { index: 0, scm, bdev },
      format: async () => {
        formatted.push(scm.class);
        return { mount: scm.mount, bdevs: [] };
      },
    }) as unknown as EngineInstance;
  const ram: ScmConfig = { class: "ram", mount: "/mnt/daos", sizeGiB: 1 };
  const dcpm: ScmConfig = { class: "dcpm", mount: "/mnt/daos", device: "/dev/pmem0" };
  const files: BdevConfig = { class: "file", list: ["/tmp/bdev"], number: 0, sizeGB: 1 };
  const nvme: BdevConfig = { class: "nvme", list: ["0000:81:00.0"], number: 0, sizeGB: 0 };
  const kdev: BdevConfig = { class: "kdev", list: ["/dev/sdb"], number: 0, sizeGB: 0 };
  const format = (engines: readonly EngineInstance[]) =>
    Array.fromAsync(
      client({ harness: new Harness(engines, silentLogger), refuseDevices: refused }).storageFormat({}),
    );

  it("storagePrepare() and storageBurnIn() are refused, and no device is touched", async () => {
    const service = client({ refuseDevices: refused });
    await expect(service.storagePrepare({ nvme: { reset: true } })).rejects.toThrow("is refused");
    await expect(service.storagePrepare({ scm: {} })).rejects.toThrow("is refused");
    await expect(Array.fromAsync(service.storageBurnIn({ devices: ["0000:81:00.0"] }))).rejects.toThrow(
      "is refused",
    );
  });

  it.each([
    ["persistent memory", dcpm, files, "format /dev/pmem0 is refused"],
    ["an NVMe controller", ram, nvme, "format 0000:81:00.0 is refused"],
    ["a block device", ram, kdev, "format /dev/sdb is refused"],
  ] as const)("storageFormat() is refused when an engine has %s", async (_, scm, bdev, text) => {
    formatted.length = 0;
    await expect(format([engineOn(ram, files), engineOn(scm, bdev)])).rejects.toThrow(text);
    expect(formatted).toEqual([]);
  });

  it("storageFormat() goes on when the engines have memory and files only", async () => {
    formatted.length = 0;
    await format([engineOn(ram, files)]);
    expect(formatted).toEqual(["ram"]);
  });
});

describe("SmdQuery", () => {
  const device = (digit: number) => `${String(digit).repeat(8)}-1111-4222-8333-444444444444`;
  /** An engine with one device, whose calls are noted. */
  const engineOf = (index: number, asked: string[], change: Readonly<Record<string, object>> = {}) =>
    ({
      index,
      superblock: { rank: index + 5 },
      call: async ({ name, response }: { name: string; response: DescMessage }, request: object) => {
        asked.push(`${index} ${name} ${Object.values(request).join()}`.trimEnd());
        const answers: Readonly<Record<string, object>> = {
          smdListDevs: { devices: [{ uuid: device(index), tgtIds: [0, 1] }] },
          smdListPools: { pools: [{ uuid: device(9), tgtIds: [0], blobs: [1n] }] },
          bioHealthQuery: { devUuid: device(index), readErrs: 4 },
          ...change,
        };
        const answer = answers[name];
        if (answer instanceof Error) throw answer;
        return create(response, answer as Record<string, unknown>);
      },
    }) as unknown as EngineInstance;
  const query = async (
    engines: readonly EngineInstance[],
    request: MessageInitShape<typeof ctl.SmdQueryReqSchema>,
  ) => {
    const harness = { instances: engines } as unknown as Harness;
    return (await client({ harness }).smdQuery(request)).engines;
  };

  it("asks every engine, and only for the parts that the request names", async () => {
    const asked: string[] = [];
    const engines = [engineOf(0, asked), engineOf(1, asked)];
    expect(await query(engines, { devices: true })).toMatchObject([
      { index: 0, rank: 5, devices: [{ uuid: device(0), tgtIds: [0, 1] }], pools: [], health: [] },
      { index: 1, rank: 6, devices: [{ uuid: device(1) }] },
    ]);
    expect(asked).toEqual(["0 smdListDevs", "1 smdListDevs"]);
    expect(await query(engines, { pools: true, ranks: [6] })).toMatchObject([
      { rank: 6, devices: [], pools: [{ uuid: device(9), blobs: [1n] }] },
    ]);
  });

  it("returns the health of all devices, of one device, or of a target's device", async () => {
    const asked: string[] = [];
    const engines = [engineOf(0, asked), engineOf(1, asked)];
    expect(await query(engines, { health: true })).toMatchObject([
      { devices: [], health: [{ devUuid: device(0), readErrs: 4 }] },
      { health: [{ devUuid: device(1) }] },
    ]);
    asked.length = 0;
    expect(await query(engines, { health: true, device: device(1) })).toMatchObject([
      { health: [] },
      { health: [{ devUuid: device(1) }] },
    ]);
    expect(asked.filter((line) => line.includes("bio"))).toEqual([`1 bioHealthQuery ${device(1)}`]);
    asked.length = 0;
    await query(engines, { health: true, target: "3", ranks: [5] });
    expect(asked).toEqual(["0 bioHealthQuery 3"]);
  });

  it("answers for the other engines when one does not run or refuses", async () => {
    const asked: string[] = [];
    const down = new Fault({
      domain: "engine",
      code: FaultCode.engineNotRunning,
      description: "engine 0 does not run",
      resolution: "start it",
    });
    const engines = [
      engineOf(0, asked, { smdListDevs: down }),
      engineOf(1, asked, { smdListDevs: { status: -1005 } }),
      engineOf(2, asked),
    ];
    const found = await query(engines, { devices: true });
    expect(found.map(({ state }) => state?.error ?? "")).toEqual([
      expect.stringContaining("engine 0 does not run"),
      expect.stringContaining("list the devices of engine 1"),
      "",
    ]);
    expect(found[2]?.devices).toHaveLength(1);
  });
});

describe("ServerQuery", () => {
  const key = { name: "port", value: "10002", description: "TCP port", allowed: "a port" };
  const release = { version: "1.2.3", daosRelease: "0.8.0" };
  const configuration = {
    file: "/etc/daos/daos_server.yml",
    describe: () => [{ ...key, default: "10001" }],
  };
  const running = { index: 0, superblock: { rank: 4 }, pid: 4711, startedAt: 1_700_000_001_000, restarts: 2 };
  const stopped = { index: 1, superblock: undefined, pid: undefined, startedAt: undefined, restarts: 0 };
  const instances = [
    { ...running, state: { kind: "serving" } },
    { ...stopped, state: { kind: "awaiting format", reason: "" } },
  ];
  const harness = { instances } as unknown as Harness;

  it("describes the server and its engines", async () => {
    expect(await client({ harness, release, configuration }).serverQuery({})).toMatchObject({
      version: "1.2.3",
      pid: process.pid,
      started: BigInt(Math.round(performance.timeOrigin)),
      engines: [
        { index: 0, rank: 4, state: "serving", pid: 4711, started: 1_700_000_001_000n, restarts: 2 },
        { index: 1, state: "awaiting format", pid: 0, started: 0n, restarts: 0 },
      ],
      config: [],
    });
  });

  it("returns the configuration in force on request", async () => {
    const answer = await client({ harness, release, configuration }).serverQuery({ config: true });
    expect(answer.configFile).toBe("/etc/daos/daos_server.yml");
    expect(answer.config).toMatchObject([{ ...key, defaultValue: "10001" }]);
  });
});
