import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceProgress } from "@daos/bdev";
import type { EngineConfig } from "@daos/config";
import { Fault, FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import type { ScmFormatState } from "@daos/scm";
import { createSuperblock, writeSuperblock } from "@daos/superblock";
import { SmallFileSystem } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BdevPort, EngineStorage, type EngineStorageOptions, type ScmPort } from "./engine-storage.ts";
import { faultFormatNotAwaited } from "./faults.ts";
import type { InstanceState } from "./instance-state.ts";
import type { StorageFacts } from "./storage-facts.ts";

const [A, B] = ["0000:81:00.0", "0000:82:00.0"] as const;
const fault = new Fault({
  domain: "bdev",
  code: FaultCode.bdevFormatFailed,
  description: "x",
  resolution: "y",
});
const { signal } = new AbortController();
const isRoot = process.getuid?.() === 0;

function storage(
  scm: Partial<ScmPort>,
  bdev: Partial<BdevPort>,
  {
    mount = "/mnt/daos0",
    mayMount = true,
    readFacts,
  }: { readonly mount?: string } & Partial<Pick<EngineStorageOptions, "mayMount" | "readFacts">> = {},
): EngineStorage {
  const refuse = (what: string) => () => Promise.reject(new Error(`unexpected: ${what}`));
  return new EngineStorage({
    config: {
      index: 0,
      scm: { class: "ram", mount, sizeGiB: 1 },
      bdev: { class: "nvme", list: [A, B], number: 0, sizeGB: 0 },
      systemName: "daos_server",
    } as unknown as EngineConfig,
    replica: "none",
    scm: {
      checkFormat: () => Promise.resolve({ kind: "unformatted" }),
      format: () => Promise.resolve(),
      mount: refuse("mount"),
      ...scm,
    },
    bdev: {
      check: refuse("check"),
      checkFormat: () => Promise.resolve([]),
      format: refuse("format"),
      ...bdev,
    },
    mayMount,
    readFacts,
    recreateSuperblocks: false,
    log: silentLogger,
  });
}

async function format(engine: EngineStorage) {
  const steps: [string, string, number][] = [];
  const onProgress = ({ device, step, fraction }: DeviceProgress) =>
    void steps.push([device, step, fraction]);
  return { result: await engine.format({ reformat: false, signal, onProgress }), steps };
}

describe("EngineStorage.format", () => {
  it.each([true, false])("passes reformat %s to the block devices", async (reformat) => {
    let asked: boolean | undefined;
    const engine = storage(
      {},
      {
        format: async (_, options) => {
          asked = options?.reformat;
          return [];
        },
      },
    );
    await engine.format({ reformat, signal });
    expect(asked).toBe(reformat);
  });

  it("reports every device from the start, and the result of each", async () => {
    const { result, steps } = await format(
      storage(
        {},
        {
          format: async (_, { onProgress } = { signal }) => {
            onProgress?.({ device: A, step: "format", fraction: 0.5, elapsedMs: 1, remainingMs: 1 });
            return [{ device: A }, { device: B, fault }];
          },
        },
      ),
    );
    expect(result).toEqual({ mount: "/mnt/daos0", bdevs: [{ device: A }, { device: B, fault }] });
    expect(steps).toEqual([
      ["/mnt/daos0", "format", 0],
      [A, "waiting", 0],
      [B, "waiting", 0],
      ["/mnt/daos0", "done", 1],
      [A, "format", 0.5],
      [A, "done", 1],
      [B, "failed", 1],
    ]);
  });

  it("formats nothing when a block device refuses, and names the refusal", async () => {
    let consent: boolean | undefined;
    const refuse = (what: string) => () => Promise.reject(new Error(`unexpected: ${what}`));
    const { result, steps } = await format(
      storage(
        { format: refuse("SCM format") },
        {
          checkFormat: async (_, options) => {
            consent = options?.reformat;
            return [{ device: B, fault }];
          },
        },
      ),
    );
    expect(consent).toBe(false);
    expect(result).toMatchObject({
      mount: "/mnt/daos0",
      scmFault: {
        code: fault.code,
        description: "cannot format the storage of engine 0 (/mnt/daos0), nothing was changed: x",
        resolution: "y",
      },
      bdevs: [{ device: B, fault }],
    });
    expect(steps.slice(-3)).toEqual([
      ["/mnt/daos0", "failed", 1],
      [A, "skipped", 1],
      [B, "failed", 1],
    ]);
  });

  it("asks the block devices nothing when SCM refuses", async () => {
    const engine = storage(
      { checkFormat: () => Promise.resolve({ kind: "foreign", fsType: "xfs" }) },
      { checkFormat: () => Promise.reject(new Error("unexpected: checkFormat")) },
    );
    const { result } = await format(engine);
    expect(result).toMatchObject({ scmFault: { code: FaultCode.storageAlreadyFormatted }, bdevs: [] });
  });

  it("leaves block devices alone when SCM fails", async () => {
    const { result, steps } = await format(storage({ format: () => Promise.reject(fault) }, {}));
    expect(result).toEqual({ mount: "/mnt/daos0", scmFault: fault, bdevs: [] });
    expect(steps.slice(-3)).toEqual([
      ["/mnt/daos0", "failed", 1],
      [A, "skipped", 1],
      [B, "skipped", 1],
    ]);
  });

  it("names for each block device the reason why none was formatted", async () => {
    const { result } = await format(storage({}, { format: () => Promise.reject(fault) }));
    expect(result).toEqual({
      mount: "/mnt/daos0",
      bdevs: [
        { device: A, fault },
        { device: B, fault },
      ],
    });
  });
});

describe("faultFormatNotAwaited() says what is true of", () => {
  const running = FaultCode.storageFormatOnRunningSystem;
  const other = FaultCode.storageFormatNotAwaited;
  const cases: readonly (readonly [
    Exclude<InstanceState, { readonly kind: "awaiting format" }>,
    FaultCode,
    string,
  ])[] = [
    [{ kind: "new" }, other, "which has not been opened yet"],
    [{ kind: "formatting" }, other, "which is being formatted already"],
    [{ kind: "starting", reason: "" }, running, "whose engine is being started"],
    [{ kind: "serving" } as InstanceState & { kind: "serving" }, running, "whose engine runs"],
    [{ kind: "restarting", reason: "it died" }, running, "about to be started again: it died"],
    [{ kind: "stopped" }, other, "of an engine that was stopped"],
    [{ kind: "failed", fault }, other, "whose engine has failed: x"],
  ];
  it.each(cases)("%j", (state, code, words) => {
    const refused = faultFormatNotAwaited(3, "/mnt/daos3", state);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain("format the storage of engine 3 (/mnt/daos3), ");
    expect(refused.message).toContain(words);
    expect(refused.resolution).not.toBe("");
  });
});

describe("EngineStorage.open", () => {
  it("waits for a format when storage with a file system cannot be mounted, so that an operator can format it", async () => {
    const failed = (code: number) => () =>
      Promise.reject(new Fault({ domain: "scm", code, description: "cannot mount", resolution: "" }));
    const checkFormat = () => Promise.resolve({ kind: "mountable" } as const);
    const engine = storage({ checkFormat, mount: failed(FaultCode.scmMountFailed) }, {});
    expect(await engine.open({ signal })).toBe("SCM cannot be mounted: cannot mount");
    const other = storage({ checkFormat, mount: failed(FaultCode.scmWithoutDax) }, {});
    await expect(other.open({ signal })).rejects.toMatchObject({ code: FaultCode.scmWithoutDax });
  });

  it("waits for a format when the namespace that was formatted is gone, and takes another one with consent only", async () => {
    const gone = new Fault({
      domain: "scm",
      code: FaultCode.scmNamespaceMissing,
      description: "it was formatted on another namespace",
      resolution: "format",
    });
    const formatted: unknown[] = [];
    const engine = storage(
      {
        checkFormat: () => Promise.reject(gone),
        format: async (_, { reformat }) => void formatted.push(reformat),
      },
      { format: () => Promise.resolve([]) },
    );
    expect(engine.isAbsent).toBe(false);
    expect(await engine.open({ signal })).toContain("it was formatted on another namespace");
    expect(engine.isAbsent).toBe(true);
    const refused = await engine.format({ reformat: false, signal });
    expect(refused.scmFault?.code).toBe(FaultCode.scmNamespaceMissing);
    expect(formatted).toEqual([]);
    expect((await engine.format({ reformat: true, signal })).scmFault).toBeUndefined();
    expect(formatted).toEqual([true]);
  });

  it("waits for a device that is not there yet, as at a boot", async () => {
    const missing = new Fault({
      domain: "scm",
      code: FaultCode.scmMissingDevice,
      description: "cannot use the SCM device /dev/pmem1: there is no such block device",
      resolution: "list the namespaces",
    });
    const engine = storage({ checkFormat: () => Promise.reject(missing) }, {});
    expect(await engine.open({ signal })).toBe(missing.message);
    expect(engine.isAbsent).toBe(true);
  });

  const superblock = createSuperblock({ system: "daos_server", replica: "none" });
  let mount = "";
  beforeEach(async () => {
    mount = await mkdtemp(join(tmpdir(), "daos-storage-"));
  });
  afterEach(() => rm(mount, { recursive: true }));

  /** Storage that was opened, and what is to be found there from then on. */
  async function opened(mayMount: boolean) {
    await writeSuperblock(mount, superblock);
    let facts: StorageFacts = {
      mounted: mayMount ? { source: "tmpfs", fsType: "tmpfs", device: "0:51" } : undefined,
      directory: "51:1",
      superblock: { kind: "uuid", uuid: superblock.uuid },
      directories: [],
      devices: {},
    };
    let state: ScmFormatState = { kind: "mounted" };
    const calls: string[] = [];
    const engine = storage(
      {
        checkFormat: async () => state,
        format: async () => void calls.push("format"),
        mount: async () => void calls.push("mount"),
      },
      {},
      { mount, mayMount, readFacts: async () => facts },
    );
    expect(await engine.open({ signal })).toBeUndefined();
    await engine.verify();
    const change = async (next: ScmFormatState, now: Partial<StorageFacts>) => {
      state = next;
      facts = { ...facts, ...now };
      if (now.superblock?.kind === "missing") await rm(join(mount, "superblock"));
    };
    return { engine, change, calls };
  }
  const missing = { kind: "missing" } as const;

  it.each([true, false])("makes no new storage where it was lost; may mount: %s", async (mayMount) => {
    const { engine, change, calls } = await opened(mayMount);
    await change({ kind: "unformatted" }, { mounted: undefined, directory: "9:9", superblock: missing });
    await expect(engine.verify()).rejects.toMatchObject({ code: FaultCode.storageLost });
    await expect(engine.writeSuperblock(superblock)).rejects.toMatchObject({ code: FaultCode.storageLost });
    expect(await engine.open({ signal })).toMatch(/is not mounted any more|the superblock in .* is missing/);
    expect(calls).toEqual([]);
    expect(engine.superblock?.uuid).toBe(superblock.uuid);
    expect(await readdir(mount)).toEqual([]);
  });

  it("mounts a device again that holds the same superblock, and accepts it", async () => {
    const { engine, change, calls } = await opened(true);
    await change({ kind: "mountable" }, { directory: "52:2" });
    expect(await engine.open({ signal })).toBeUndefined();
    expect(calls).toEqual(["mount"]);
    await engine.verify();
  });

  it("refuses another engine's storage in its place", async () => {
    const { engine, change } = await opened(true);
    const other = { kind: "uuid", uuid: "5d0d1a5c-4d3a-4a38-8f0e-2f8b4d7d9b1e" } as const;
    await change({ kind: "mounted" }, { superblock: other });
    await expect(engine.open({ signal })).rejects.toMatchObject({
      code: FaultCode.storageLost,
      message: expect.stringContaining("that of another engine"),
    });
  });
});

describe.runIf(isRoot)("EngineStorage.prepareBdevs on an SCM that is full", () => {
  const devices = (small: SmallFileSystem) =>
    storage({}, { check: () => Promise.resolve() }, { mount: small.path });

  it("takes the engine's configuration of its devices as it is when it is right", async () => {
    using small = new SmallFileSystem(1);
    const path = await devices(small).prepareBdevs({ signal });
    small.fill();
    expect(await devices(small).prepareBdevs({ signal })).toBe(path);
  });

  it("names the file that cannot be written, and goes on when there is room", async () => {
    using small = new SmallFileSystem(1);
    small.fill();
    const engine = devices(small);
    await expect(engine.prepareBdevs({ signal })).rejects.toMatchObject({
      code: FaultCode.storageUnwritable,
      description: `cannot write ${small.path}/daos_nvme.conf`,
      reason: expect.stringContaining("ENOSPC"),
      resolution: expect.stringContaining(`make room in ${small.path}`),
    });
    small.makeRoom();
    expect(await engine.prepareBdevs({ signal })).toBe(join(small.path, "daos_nvme.conf"));
    expect(await readdir(small.path)).toEqual(["daos_nvme.conf"]);
  });
});

describe.runIf(isRoot)("EngineStorage.erase", () => {
  it("names the superblock of an SCM that is read-only", async () => {
    using small = new SmallFileSystem(1);
    await writeSuperblock(small.path, createSuperblock({ system: "daos_server", replica: "none" }));
    small.makeReadOnly();
    await expect(storage({}, {}, { mount: small.path }).erase()).rejects.toMatchObject({
      code: FaultCode.storageUnwritable,
      description: `cannot write ${join(small.path, "superblock")}`,
      reason: expect.stringContaining("EROFS"),
      resolution: expect.stringContaining("then repeat the erase"),
    });
  });
});
