import { FaultCode, hasCode } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Argv, BlockClaim, MountEntry, MountTable, SysTree } from "@daos/sys";
import { faultMountFailed, faultNamespacesInUse, faultNotPrivileged, faultPrepareFailed } from "./faults.ts";
import { hasRoom, planPrepare } from "./plan-prepare.ts";
import type { ScmCallOptions } from "./scm-operations.ts";
import type { ScmTools } from "./scm-tools.ts";
import type { AnyNamespace, ScmModule, ScmPrepareResult, ScmRegion } from "./scm-types.ts";
import { usesOfPmem } from "./use-of-pmem.ts";

export interface ScmPreparerOptions {
  readonly tools: ScmTools;
  readonly mounts: MountTable;
  readonly sys: SysTree;
  /** Whether the kernel or a process has exclusive use of a block device. */
  readonly claim: (device: string) => Promise<BlockClaim>;
  readonly log: Logger;
}

/**
 * Makes namespaces on persistent memory, and destroys them.
 *
 * @see DAOS 0.8.0 src/control/server/storage/scm/ipmctl.go
 */
export class ScmPreparer {
  readonly #options: ScmPreparerOptions;
  readonly #tools: ScmTools;
  readonly #mounts: MountTable;
  readonly #log: Logger;

  constructor(options: ScmPreparerOptions) {
    this.#options = options;
    this.#tools = options.tools;
    this.#mounts = options.mounts;
    this.#log = options.log;
  }

  /**
   * Prepares the persistent memory, one step for each call. Without regions it sets the goal AppDirect on the modules. With
   * free space in regions it creates namespaces until the space is used. The notes say for each region what was done, or why
   * not.
   *
   * @throws Fault storageNotPrivileged, missingSoftwareDependency (no ndctl), scmPrepareFailed, scmToolFailed
   */
  async prepare(options: ScmCallOptions): Promise<ScmPrepareResult> {
    if (!(await this.#mounts.mayMount())) throw faultNotPrivileged("prepare SCM");
    const modules = await this.#modulesIfAny(options);
    const plan = planPrepare({ modules, regions: await this.#tools.regions(options) });
    switch (plan.kind) {
      case "nothing": {
        const notes = await this.#notesOnCxl(options);
        return notes.length === 0 ? { kind: "no-scm" } : { kind: "no-scm", notes };
      }
      case "create-goal":
        await this.#tools.setGoal("PersistentMemoryType=AppDirect", options);
        this.#log.info("SCM modules become AppDirect at the next boot", { modules: modules.length });
        return { kind: "reboot-needed" };
      case "create-namespaces":
        await this.#fillRegions(plan.regions, options);
        break;
      case "list":
    }
    return this.#done(await this.#notesOnPrepare(options), options);
  }

  /**
   * Undoes {@link prepare}: unmounts and destroys every namespace with its data, and sets the modules to become ordinary
   * memory at the next boot. The caller must have obtained consent. If a namespace is in use, other than by one of our
   * mounts, nothing is changed.
   *
   * @throws Fault as prepare, and scmMountFailed when one of our mounts is busy
   */
  async reset(options: ScmCallOptions): Promise<ScmPrepareResult> {
    if (!(await this.#mounts.mayMount())) throw faultNotPrivileged("reset SCM");
    const modules = await this.#modulesIfAny(options);
    const namespaces = (await this.#tools.namespaces(options)).all;
    const mounts = await this.#mounts.list();
    // All checks come before the first change.
    await this.#refuseUsed(namespaces, mounts);
    const devices = new Set(
      namespaces.flatMap(({ blockdev }) => (blockdev === undefined ? [] : [`/dev/${blockdev}`])),
    );
    for (const { source, mountPoint } of mounts.toReversed()) {
      if (!devices.has(source)) continue;
      const { exitCode, stderr } = await this.#tools.run(["umount", mountPoint], "unmount SCM", options);
      if (exitCode !== 0) throw faultMountFailed(`umount ${mountPoint}`, stderr.trim());
    }
    // A new namespace in the same place would show the old file system with its old superblock.
    for (const device of devices) await this.#runOrFail(["wipefs", "--all", device], options);
    const notes: string[] = [];
    for (const namespace of namespaces) {
      await this.#tools.destroyNamespace(namespace.dev, options);
      notes.push(`destroyed ${describe(namespace)}`);
    }
    for (const note of notes) this.#log.info(note);
    if (modules.length > 0) {
      await this.#tools.setGoal("MemoryMode=100", options);
      return { kind: "reboot-needed", ...(notes.length === 0 ? {} : { notes }) };
    }
    return namespaces.length === 0 && (await this.#tools.regions(options)).length === 0
      ? { kind: "no-scm" }
      : this.#done(notes, options);
  }

  /** @throws Fault scmPrepareFailed that names every use of a namespace */
  async #refuseUsed(namespaces: readonly AnyNamespace[], mounts: readonly MountEntry[]): Promise<void> {
    const devices = namespaces.flatMap(({ blockdev, chardevs }) => [...chardevs, blockdev ?? []].flat());
    const uses = [...(await usesOfPmem(this.#options.sys, devices))];
    for (const { dev, blockdev, isSystemRam } of namespaces) {
      if (isSystemRam) uses.push(`the kernel uses ${dev} as ordinary memory`);
      if (blockdev !== undefined) uses.push(...(await this.#usesOfBlockDevice(`/dev/${blockdev}`, mounts)));
    }
    if (uses.length > 0) throw faultNamespacesInUse(uses);
  }

  async #usesOfBlockDevice(device: string, mounts: readonly MountEntry[]): Promise<readonly string[]> {
    const mounted = mounts.filter(({ source }) => source === device);
    if (mounted.length === 0 && (await this.#options.claim(device)) === "claimed")
      return [`${device} is in use (a partition, a logical volume, swap)`];
    return mounted.flatMap(({ mountPoint, fsType }) =>
      fsType === "ext4" ? [] : [`${device} is mounted at ${mountPoint} as ${fsType}, which is not DAOS's`],
    );
  }

  /** One note for each region, and for each namespace that no engine can use. */
  async #notesOnPrepare(options: ScmCallOptions): Promise<readonly string[]> {
    const regions = await this.#tools.regions(options);
    const namespaces = (await this.#tools.namespaces(options)).all;
    return [
      ...regions.flatMap((region) => regionNote(region)),
      ...namespaces.flatMap((namespace) => namespaceNote(namespace)),
    ];
  }

  /** Without a region the kernel shows nothing of CXL memory as persistent memory. */
  async #notesOnCxl(options: ScmCallOptions): Promise<readonly string[]> {
    const memory = await this.#tools.cxlMemory(options);
    return memory.map(
      ({ name, persistentBytes }) =>
        `CXL memory ${name} has ${mebibytes(persistentBytes)} of persistent memory without a region: make one with "cxl create-region -t pmem -m ${name}", then repeat`,
    );
  }

  async #done(notes: readonly string[], options: ScmCallOptions): Promise<ScmPrepareResult> {
    const { usable } = await this.#tools.namespaces(options);
    return { kind: "done", namespaces: usable, ...(notes.length === 0 ? {} : { notes }) };
  }

  async #runOrFail(argv: Argv, options: ScmCallOptions): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#tools.run(argv, "reset SCM", options);
    if (exitCode !== 0) throw faultPrepareFailed(argv.join(" "), stderr.trim() || stdout.trim());
  }

  /** ipmctl is needed only for modules that it manages. */
  async #modulesIfAny(options: ScmCallOptions): Promise<readonly ScmModule[]> {
    try {
      return await this.#tools.modules(options);
    } catch (error) {
      if (!hasCode(error, FaultCode.missingSoftwareDependency)) throw error;
      this.#log.info("without ipmctl: only regions that exist are used", { reason: error.description });
      return [];
    }
  }

  /** A region that fails does not stop the others. @throws the fault of the first region that failed */
  async #fillRegions(regions: readonly ScmRegion[], options: ScmCallOptions): Promise<void> {
    const failures: unknown[] = [];
    for (const { dev } of regions) {
      options.signal?.throwIfAborted();
      try {
        await this.#fillRegion(dev, options);
      } catch (error) {
        if (!hasCode(error, FaultCode.scmPrepareFailed)) throw error;
        this.#log.error("region not prepared", { region: dev, reason: error.message });
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Every round uses the largest free extent, so the loop ends. */
  async #fillRegion(dev: string, options: ScmCallOptions): Promise<void> {
    for (let available: bigint | undefined; ; ) {
      const region = (await this.#tools.regions(options)).find((entry) => entry.dev === dev);
      if (region === undefined || !hasRoom(region) || region.available === available) return;
      available = region.available;
      if (!(await this.#tools.createNamespace(dev, options))) return;
      this.#log.info("SCM namespace created", { region: dev });
    }
  }
}

function regionNote({ dev, problem, available }: ScmRegion): readonly string[] {
  if (problem !== undefined) return [`${dev} is left as it is: ${problem}`];
  return available === 0n
    ? []
    : [`${dev} has ${mebibytes(available)} left, on which ndctl makes no namespace`];
}

function namespaceNote({ dev, mode, isEnabled, isSystemRam }: AnyNamespace): readonly string[] {
  if (!isEnabled) return [`${dev} is disabled: "ndctl enable-namespace ${dev}" makes it usable`];
  if (isSystemRam) return [`${dev} is left as it is: the kernel uses it as ordinary memory`];
  if (mode === "fsdax" || mode === "") return [];
  return [
    `${dev} is ${mode}, which cannot be mounted with dax: "ndctl create-namespace -f -e ${dev} -m fsdax" makes it usable and destroys its data`,
  ];
}

function describe({ dev, uuid, mode, size }: AnyNamespace): string {
  return `${dev} (${uuid === "" ? "no label" : `uuid ${uuid}`}, ${mode === "" ? "mode unknown" : mode}, ${mebibytes(size)})`;
}

function mebibytes(bytes: bigint): string {
  return `${bytes / 1048576n} MiB`;
}
