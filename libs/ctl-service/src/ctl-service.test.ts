import { mkdtempSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import type { NvmeController } from "@daos/bdev";
import type { BdevConfig, ScmConfig } from "@daos/config";
import { Fault, FaultCode } from "@daos/fault";
import { Harness } from "@daos/harness";
import type { InstanceFormatResult } from "@daos/instance";
import { levelSwitch, silentLogger } from "@daos/log";
import { followerOf } from "@daos/membership/testing";
import { ctl } from "@daos/proto";
import { faultInterceptor, fromConnectError } from "@daos/rpc";
import type { ScmScan } from "@daos/scm";
import { afterAll, describe, expect, it } from "vitest";
import { ctlService } from "./ctl-service.ts";
import type { CtlServiceOptions } from "./ctl-service-options.ts";

const unexpected = (what: string) => () => Promise.reject(new Error(`unexpected: ${what}`));

const refuse = { prepare: unexpected("prepare"), reset: unexpected("reset") };

/** A client of the service on parts that refuse every call but those given. */
function client(parts: Partial<CtlServiceOptions>): Client<typeof ctl.MgmtCtl> {
  const options: CtlServiceOptions = {
    harness: new Harness([], silentLogger),
    leadership: followerOf({ host: "node1", port: 10001 }, { host: "10.0.0.1", port: 10001 }),
    scm: { scan: unexpected("scm scan"), prepare: unexpected("scm prepare"), reset: unexpected("scm reset") },
    bdev: {
      scan: unexpected("bdev scan"),
      prepare: unexpected("bdev prepare"),
      reset: unexpected("bdev reset"),
    },
    controllers: { include: [], exclude: ["0000:83:00.0"] },
    findUser: unexpected("find user"),
    network: { listProviders: () => [], scan: unexpected("network scan") },
    members: {
      prepShutdown: unexpected("prep shutdown"),
      killRank: unexpected("kill rank"),
      startRank: unexpected("start rank"),
      eraseRank: unexpected("erase rank"),
    },
    log: silentLogger,
    logLevel: levelSwitch("INFO"),
    ...parts,
  };
  const transport = createRouterTransport((router) => router.service(ctl.MgmtCtl, ctlService(options)), {
    router: { interceptors: [faultInterceptor] },
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
  namespaces: [{ uuid: "u", blockdev: "pmem0", dev: "namespace0.0", numaNode: 1, size: 3_183_575_302_144n }],
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

describe("StorageScan", () => {
  it("sends what was found in the units of the wire, health always", async () => {
    const service = client({
      scm: { ...refuse, scan: async () => scan },
      bdev: { ...refuse, scan: async () => [controller] },
    });
    const { scm, nvme } = await service.storageScan({});
    expect(scm?.modules[0]).toMatchObject({
      physicalid: 28,
      loc: { memctrlr: 1, channel: 2, channelpos: 1, socket: 0 },
    });
    expect(scm?.pmems[0]).toMatchObject({ blockdev: "pmem0", numanode: 1, size: 3_183_575_302_144n });
    expect(scm?.state?.info).toBe("ipmctl is not installed");
    expect(nvme?.ctrlrs[0]?.namespaces).toMatchObject([{ id: 1, size: 375, ctrlrpciaddr: "0000:81:00.0" }]);
    expect(nvme?.ctrlrs[0]?.healthstats).toMatchObject({ temp: 0, ctrlrpciaddr: "0000:81:00.0" });
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
  it("prepares the parts that are asked for, for the user that is named", async () => {
    const asked: unknown[] = [];
    const service = client({
      bdev: {
        scan: unexpected("scan"),
        reset: unexpected("reset"),
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

  it("goes on with SCM when NVMe fails", async () => {
    const service = client({
      bdev: { scan: unexpected("scan"), prepare: unexpected("prepare"), reset: () => Promise.reject(broken) },
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

  it("is that of the file system, and no more than scm_size", async () => {
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

  it("is not known of storage that is not formatted", async () => {
    const bare = { ...engine(0, ram(1), {}), superblock: undefined };
    const [found] = await usage([bare]);
    expect(found).toMatchObject({ scmTotal: 0n, scmState: { status: ctl.ResponseStatus.CTL_ERR_SCM } });
    expect(found?.rank).toBeUndefined();
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

  it("refuses what is not a level", async () => {
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
