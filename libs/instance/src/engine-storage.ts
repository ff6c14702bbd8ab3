import { chown, readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  type BdevFormatResult,
  type BdevOperations,
  createBdevFiles,
  type DeviceProgress,
  NVME_CONF,
  progressMeter,
  renderNvmeConf,
} from "@daos/bdev";
import type { EngineConfig } from "@daos/config";
import { errorText, type Fault, FaultCode, hasCode, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { ScmFormatState, ScmOperations } from "@daos/scm";
import {
  type CreateSuperblockOptions,
  createSuperblock,
  readSuperblock,
  type Superblock,
  superblockPath,
  writeSuperblock,
} from "@daos/superblock";
import { hasErrorCode, makeDirectories, syncDirectory, writeFileAtomic } from "@daos/sys";
import { faultNothingFormatted, faultStorageLost, faultStorageUnwritable } from "./faults.ts";
import { type FormatPlan, planFormat } from "./plan-format.ts";
import { deviceLosses, readStorageFacts, type StorageFacts, storageLosses } from "./storage-facts.ts";

interface Wait {
  readonly signal: AbortSignal;
}

/** SCM as an engine's storage needs it. */
export type ScmPort = Pick<ScmOperations, "checkFormat" | "format" | "mount">;

/** Block devices as an engine's storage needs them. */
export type BdevPort = Pick<BdevOperations, "check" | "checkFormat" | "format">;

/** Numeric user and group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface EngineStorageOptions {
  readonly config: EngineConfig;
  /** The values of a new superblock about this engine and the management service. */
  readonly replica: CreateSuperblockOptions["replica"];
  readonly scm: ScmPort;
  readonly bdev: BdevPort;
  /** True when the server may mount: it is root, or has the privileged helper. */
  readonly mayMount: boolean;
  /** Who owns formatted storage, if not the server's user. */
  readonly owner?: Owner | undefined;
  readonly recreateSuperblocks: boolean;
  readonly log: Logger;
  /** Reads the present state of the storage; from this machine by default. */
  readonly readFacts?: ((config: EngineConfig) => Promise<StorageFacts>) | undefined;
}

export interface EngineFormatOptions extends Wait {
  readonly reformat: boolean;
  /** Called with the progress and the result of the mount point and of each block device. */
  readonly onProgress?: ((progress: DeviceProgress) => void) | undefined;
}

/** The result of a format of one engine's storage. */
export interface InstanceFormatResult {
  readonly mount: string;
  /** Absent when the SCM was formatted. */
  readonly scmFault?: Fault | undefined;
  readonly bdevs: readonly BdevFormatResult[];
}

/** Entries of a freshly formatted SCM; none of them is data. */
const LEFT_BY_FORMAT = new Set(["lost+found", NVME_CONF]);

/** The storage of one engine: SCM with the superblock in it, and block devices. */
export class EngineStorage {
  readonly #options: EngineStorageOptions;
  #superblock: Superblock | undefined;
  /** The state of the storage when the superblock was read or made; undefined while there is none. */
  #accepted: StorageFacts | undefined;
  #erased = false;
  #isAbsent = false;

  constructor(options: EngineStorageOptions) {
    this.#options = options;
  }

  /** The identity of the engine; undefined until its storage is formatted. */
  get superblock(): Superblock | undefined {
    return this.#superblock;
  }

  /** True when the last {@link open} did not find the namespace or its device: at a boot, the kernel may still be looking for it. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  /**
   * Mounts what can be mounted and reads the superblock. Storage that was accepted before must have the same identity: it is never made anew without a request.
   *
   * @returns why a format is needed, if it is
   * @throws Fault about a superblock that is damaged or another system's, or storage that cannot be mounted; storageLost when
   *   another engine's storage is there now
   */
  async open(wait: Wait): Promise<string | undefined> {
    if (this.#erased) return "it was erased, and its old contents must be formatted away (--reformat)";
    const { config, scm, mayMount, recreateSuperblocks } = this.#options;
    const { mount } = config.scm;
    const accepted = this.#accepted;
    let found: ScmFormatState;
    this.#isAbsent = false;
    try {
      found = await scm.checkFormat(config.scm, wait);
    } catch (error) {
      this.#isAbsent =
        hasCode(error, FaultCode.scmNamespaceMissing) || hasCode(error, FaultCode.scmMissingDevice);
      if (accepted !== undefined || !this.#isAbsent) throw error;
      // The server keeps running: it may appear, and another namespace can be formatted (--reformat).
      return errorText(error);
    }
    switch (found.kind) {
      case "unformatted":
        if (accepted !== undefined) break;
        if (mayMount) return "SCM is not formatted";
        // A normal user gets a directory below a mount point made, or a fault that says how to get one.
        await scm.format(config.scm, { reformat: false, ...wait });
        break;
      case "foreign":
        return `the SCM device holds a ${found.fsType} file system`;
      case "mountable":
        try {
          await scm.mount(config.scm, wait);
        } catch (error) {
          if (accepted !== undefined || !hasCode(error, FaultCode.scmMountFailed)) throw error;
          // The server keeps running, so that the storage can be formatted anew (--reformat).
          return `SCM cannot be mounted: ${error.message}`;
        }
        break;
      case "mounted":
        break;
      default:
        return found satisfies never;
    }
    if (accepted !== undefined) {
      const facts = await this.#readFacts();
      const [loss] = storageLosses(mount, accepted, facts, { remounted: true });
      if (loss !== undefined && facts.superblock.kind !== "missing")
        throw faultStorageLost(config.index, mount, [loss]);
      if (loss !== undefined) return loss;
    }
    this.#superblock = await readSuperblock(mount, { system: config.systemName });
    if (this.#superblock !== undefined) {
      this.#accepted = await this.#readFacts();
      return undefined;
    }
    // The server makes the superblock for a normal user, who has no other way to get one; root formats.
    if (!recreateSuperblocks && mayMount) return "SCM is mounted but has no superblock";
    await this.createSuperblock();
    return undefined;
  }

  /**
   * Compares the present storage with the accepted one: mount, superblock, directories, devices. New parts are expected
   * from then on.
   *
   * @throws Fault storageLost that names what is missing
   */
  async verify(): Promise<void> {
    if (this.#accepted === undefined) return;
    const { config } = this.#options;
    const { mount } = config.scm;
    const found = await this.#readFacts();
    const losses = storageLosses(mount, this.#accepted, found);
    const all = losses.length > 0 ? losses : deviceLosses(this.#accepted, found);
    if (all.length > 0) throw faultStorageLost(config.index, mount, all);
    this.#accepted = found;
  }

  #readFacts(): Promise<StorageFacts> {
    const { config, readFacts = readStorageFacts } = this.#options;
    return readFacts(config);
  }

  /**
   * Formats SCM, then the block devices. Whatever would be refused is found before anything is changed: nothing is formatted
   * then. Never throws: each failure is part of the result.
   */
  async format(options: EngineFormatOptions): Promise<InstanceFormatResult> {
    const { config, bdev } = this.#options;
    const { mount } = config.scm;
    const { reformat, signal, onProgress = () => {} } = options;
    const now = () => performance.now();
    const scmMeter = progressMeter(mount, now);
    onProgress(scmMeter("format", 0));
    const waiting = config.bdev.list.map((device) => progressMeter(device, now)("waiting", 0));
    for (const progress of waiting) onProgress(progress);
    let scmFault: Fault | undefined;
    let refused: readonly BdevFormatResult[] = [];
    try {
      const plan = await this.#planScm(options);
      if (plan.kind === "refuse") {
        scmFault = plan.fault;
      } else {
        refused = await bdev.checkFormat(config.bdev, { reformat, signal });
        const [first] = refused;
        if (first?.fault === undefined) await this.#formatScm(plan, signal);
        else scmFault = faultNothingFormatted(config.index, mount, first.fault);
      }
    } catch (error) {
      scmFault = toFault(error);
    }
    onProgress(scmMeter(scmFault === undefined ? "done" : "failed", 1));
    if (scmFault !== undefined) {
      const refusedNames = refused.map(({ device }) => device);
      for (const progress of waiting) {
        const step = refusedNames.includes(progress.device) ? "failed" : "skipped";
        onProgress({ ...progress, step, fraction: 1 });
      }
      return { mount, scmFault, bdevs: refused };
    }
    const begin = now();
    const bdevs = await bdev
      .format(config.bdev, { reformat, signal, onProgress })
      // What keeps all of them from being formatted is what became of each.
      .catch((error: unknown) => config.bdev.list.map((device) => ({ device, fault: toFault(error) })));
    for (const { device, fault } of bdevs as readonly BdevFormatResult[]) {
      const step = fault === undefined ? "done" : "failed";
      onProgress({ device, step, fraction: 1, elapsedMs: Math.round(now() - begin), remainingMs: 0 });
    }
    return { mount, bdevs };
  }

  async #planScm(options: Wait & { readonly reformat: boolean }): Promise<FormatPlan> {
    const { config, scm } = this.#options;
    const { mount } = config.scm;
    let found: ScmFormatState;
    try {
      found = await scm.checkFormat(config.scm, { signal: options.signal });
    } catch (error) {
      if (!options.reformat || !hasCode(error, FaultCode.scmNamespaceMissing)) throw error;
      // With consent another namespace replaces a missing one, if the configuration names another.
      return { kind: "format", wipe: true };
    }
    const empty = found.kind === "mounted" && (await isEmptyOfData(mount));
    return planFormat({ scm: found, mount, empty }, options);
  }

  async #formatScm(
    plan: Exclude<FormatPlan, { readonly kind: "refuse" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { config, scm, owner, log } = this.#options;
    if (plan.kind === "resume") return;
    log.info("formatting SCM", { mount: config.scm.mount, class: config.scm.class });
    await scm.format(config.scm, { reformat: plan.wipe, owner, signal });
  }

  /** Gives formatted storage an identity. */
  async createSuperblock(): Promise<void> {
    const { config, replica, owner, log } = this.#options;
    const { mount } = config.scm;
    const superblock = createSuperblock({ system: config.systemName, rank: config.rank, replica });
    // The format has removed the former contents.
    this.#accepted = undefined;
    await makeDirectories(mount, { mode: 0o700 });
    await this.writeSuperblock(superblock);
    if (owner !== undefined) await chown(superblockPath(mount), owner.uid, owner.gid);
    this.#accepted = await this.#readFacts();
    this.#erased = false;
    log.info("superblock created", { mount, uuid: superblock.uuid });
  }

  /** Removes the identity. The other contents of the storage stay until it is formatted. */
  async erase(): Promise<void> {
    const { mount } = this.#options.config.scm;
    const path = superblockPath(mount);
    try {
      await rm(path, { force: true });
      await syncDirectory(mount);
    } catch (error) {
      throw faultStorageUnwritable(path, mount, error, "repeat the erase");
    }
    this.#superblock = undefined;
    this.#accepted = undefined;
    this.#erased = true;
  }

  /** Makes a change of the identity durable. @throws Fault storageLost: nothing is written to another place */
  async writeSuperblock(next: Superblock): Promise<void> {
    await this.verify();
    await writeSuperblock(this.#options.config.scm.mount, next);
    this.#superblock = next;
  }

  /**
   * Readies the block devices for a start of the engine: they are there, files are made, and the engine's configuration of
   * them is written.
   *
   * @returns the path of `daos_nvme.conf`; undefined without block devices
   * @throws Fault that names devices which are missing, or a file that cannot be made
   */
  async prepareBdevs(wait: Wait): Promise<string | undefined> {
    const { config, bdev } = this.#options;
    const text = renderNvmeConf(config.bdev, { host: hostname() });
    if (text === undefined) return undefined;
    await bdev.check(config.bdev, wait);
    await this.verify();
    await createBdevFiles(config.bdev, wait);
    const path = join(config.scm.mount, NVME_CONF);
    if (!(await holds(path, text))) await this.#replace(path, text);
    return path;
  }

  async #replace(path: string, text: string): Promise<void> {
    try {
      await writeFileAtomic(path, text, { mode: 0o644 });
    } catch (error) {
      throw faultStorageUnwritable(path, this.#options.config.scm.mount, error);
    }
  }
}

/** True when a file has this content. It is then not written again, so that an engine can start on a full SCM. */
async function holds(path: string, text: string): Promise<boolean> {
  try {
    return (await readFile(path, "utf8")) === text;
  } catch {
    return false;
  }
}

async function isEmptyOfData(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).every((name) => LEFT_BY_FORMAT.has(name));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return true;
    throw error;
  }
}
