import { chmod, chown, constants, readdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { FaultCode, hasCode } from "@daos/fault";
import type { Logger } from "@daos/log";
import {
  type Argv,
  type BlockClaim,
  type CommandRunner,
  claimOf,
  hasErrorCode,
  isMountedOrBelow,
  linuxMountTable,
  type MountEntry,
  type MountTable,
  mountAt,
  type Owner,
} from "@daos/sys";
import { emptyDirectory, kindOf, makeDirectory, mountsBelow } from "./directory.ts";
import {
  faultAlreadyFormatted,
  faultDeviceAlreadyMounted,
  faultDeviceUnreadable,
  faultFilesystemAlreadyMounted,
  faultFormatFailed,
  faultInvalidParameter,
  faultMissingDevice,
  faultMountFailed,
  faultNamespacesInUse,
  faultNotMounted,
  faultNotPrivileged,
  faultPrepareFailed,
} from "./faults.ts";
import { parseFsType } from "./parse-blkid.ts";
import { hasRoom, planPrepare } from "./plan-prepare.ts";
import type { ScmCallOptions, ScmFormatOptions, ScmOperations } from "./scm-operations.ts";
import { ScmTools } from "./scm-tools.ts";
import type {
  AnyNamespace,
  ScmFormatState,
  ScmModule,
  ScmPrepareResult,
  ScmRegion,
  ScmScan,
  ScmStorage,
} from "./scm-types.ts";
import { validateStorage } from "./validate-storage.ts";

export interface ScmProviderOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly mounts?: MountTable;
  /** Whether the kernel or a process has exclusive use of a block device. */
  readonly claim?: (device: string) => Promise<BlockClaim>;
}

/** mkfs.ext4 on a large namespace initializes every inode table. */
const MKFS_TIMEOUT_MS = 15 * 60_000;

/**
 * SCM of this host, used with the rights of this process. A process that may mount (root, the helper) mounts a tmpfs or a
 * dax device at `scm_mount`. Any other process uses `scm_mount` as a directory; the directory or its parent must be a mount
 * point.
 *
 * @see DAOS 0.8.0 src/control/server/storage/scm/provider.go
 */
export class ScmProvider implements ScmOperations {
  readonly #tools: ScmTools;
  readonly #mounts: MountTable;
  readonly #claim: (device: string) => Promise<BlockClaim>;
  readonly #log: Logger;

  constructor(options: ScmProviderOptions) {
    this.#tools = new ScmTools(options.runner);
    this.#mounts = options.mounts ?? linuxMountTable;
    this.#claim = options.claim ?? claimOf;
    this.#log = options.log.child("scm");
  }

  /**
   * Lists modules (ipmctl) and namespaces (ndctl). A scan does not fail: when a tool is not installed or does not answer,
   * its list is empty and a note says why.
   */
  async scan(options: ScmCallOptions = {}): Promise<ScmScan> {
    const notes: string[] = [];
    const look = async <T>(what: string, work: () => Promise<readonly T[]>): Promise<readonly T[]> => {
      try {
        return await work();
      } catch (error) {
        options.signal?.throwIfAborted();
        notes.push(`no ${what}: ${error instanceof Error ? error.message : String(error)}`);
        return [];
      }
    };
    const modules = await look("SCM modules", () => this.#tools.modules(options));
    const namespaces = await look("SCM namespaces", () => this.#tools.namespaces(options));
    for (const note of notes) this.#log.info(note);
    return { modules, namespaces, notes };
  }

  /**
   * @throws Fault scmFormatInvalidParameter, storageFilesystemAlreadyMounted (a foreign file system is mounted there),
   *   storageDeviceAlreadyMounted, scmMissingDevice, scmDeviceUnreadable, missingSoftwareDependency
   */
  async checkFormat(configured: ScmStorage, options: ScmCallOptions = {}): Promise<ScmFormatState> {
    const storage = await accept(configured);
    options.signal?.throwIfAborted();
    const mounts = await this.#mounts.list();
    const entry = mountAt(mounts, storage.mount);
    if (entry !== undefined) {
      this.#refuseForeign(storage, entry);
      return { kind: "mounted" };
    }
    if (storage.class === "ram") {
      if (await this.#mounts.mayMount()) return { kind: "unformatted" };
      const usable = isMountedOrBelow(mounts, storage.mount) && (await kindOf(storage.mount)) !== "missing";
      return { kind: usable ? "mounted" : "unformatted" };
    }
    const elsewhere = mounts.find(({ source }) => source === storage.device);
    if (elsewhere !== undefined) {
      throw faultDeviceAlreadyMounted(storage.device, elsewhere.mountPoint, storage.mount);
    }
    const fsType = await this.#probe(storage.device, options);
    if (fsType === undefined) return { kind: "unformatted" };
    return fsType === "ext4" ? { kind: "mountable" } : { kind: "foreign", fsType };
  }

  /**
   * Leaves the storage mounted, empty and owned by `owner`. It can be repeated after an interruption.
   *
   * @throws Fault storageAlreadyFormatted without consent; storageNotMounted for a process that may not mount and a
   *   directory that is not below a mount point; scmFormatFailed, scmMountFailed, and what {@link checkFormat} throws
   */
  async format(configured: ScmStorage, options: ScmFormatOptions): Promise<void> {
    const storage = await accept(configured);
    if (!(await this.#mounts.mayMount())) return this.#formatDirectory(storage, options);
    const state = await this.checkFormat(storage, options);
    if (!options.reformat) refuseFormatted(storage, state);
    if (state.kind === "mounted") await this.unmount(storage, options);
    if (storage.class === "dcpm") await this.#makeFilesystem(storage, options);
    await this.#mountAt(storage, options);
    this.#log.info("SCM formatted", { mount: storage.mount, class: storage.class });
  }

  /**
   * Mounts formatted storage. Storage that is already mounted is left unchanged.
   *
   * @throws Fault scmMountFailed, storageNotMounted, storageFilesystemAlreadyMounted
   */
  async mount(configured: ScmStorage, options: ScmCallOptions = {}): Promise<void> {
    const storage = await accept(configured);
    const mounts = await this.#mounts.list();
    const entry = mountAt(mounts, storage.mount);
    if (entry !== undefined) return this.#refuseForeign(storage, entry);
    if (await this.#mounts.mayMount()) return this.#mountAt(storage, options);
    if (storage.class === "dcpm" || !isMountedOrBelow(mounts, storage.mount)) throw faultNotMounted(storage);
  }

  /**
   * Unmounts the storage, all mounts of it. Storage that is not mounted, or a directory below another mount, is left
   * unchanged.
   *
   * @throws Fault scmMountFailed when it is in use; storageFilesystemAlreadyMounted
   */
  async unmount(configured: ScmStorage, options: ScmCallOptions = {}): Promise<void> {
    const storage = await accept(configured);
    for (;;) {
      const entry = mountAt(await this.#mounts.list(), storage.mount);
      if (entry === undefined) return;
      this.#refuseForeign(storage, entry);
      await this.#unmountPath(storage.mount, options);
    }
  }

  /**
   * Prepares the persistent memory, one step for each call. Without regions it sets the goal AppDirect on the modules. With
   * free space in regions it creates namespaces until the space is used.
   *
   * @throws Fault storageNotPrivileged, missingSoftwareDependency (no ndctl), scmPrepareFailed, scmToolFailed
   */
  async prepare(options: ScmCallOptions = {}): Promise<ScmPrepareResult> {
    if (!(await this.#mounts.mayMount())) throw faultNotPrivileged("prepare SCM");
    const modules = await this.#modulesIfAny(options);
    const plan = planPrepare({ modules, regions: await this.#tools.regions(options) });
    switch (plan.kind) {
      case "nothing":
        return { kind: "no-scm" };
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
  async reset(options: ScmCallOptions = {}): Promise<ScmPrepareResult> {
    if (!(await this.#mounts.mayMount())) throw faultNotPrivileged("reset SCM");
    const modules = await this.#modulesIfAny(options);
    const namespaces = await this.#tools.allNamespaces(options);
    const mounts = await this.#mounts.list();
    // All checks come before the first change.
    await this.#refuseUsed(namespaces, mounts);
    const devices = new Set(
      namespaces.flatMap(({ blockdev }) => (blockdev === undefined ? [] : [`/dev/${blockdev}`])),
    );
    for (const { source, mountPoint } of mounts.toReversed()) {
      if (devices.has(source)) await this.#unmountPath(mountPoint, options);
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
      return { kind: "reboot-needed" };
    }
    return namespaces.length === 0 && (await this.#tools.regions(options)).length === 0
      ? { kind: "no-scm" }
      : this.#done(notes, options);
  }

  /** @throws Fault scmPrepareFailed that names every use of a namespace */
  async #refuseUsed(namespaces: readonly AnyNamespace[], mounts: readonly MountEntry[]): Promise<void> {
    const uses: string[] = [];
    for (const { dev, blockdev, isSystemRam } of namespaces) {
      if (isSystemRam) uses.push(`the kernel uses ${dev} as ordinary memory`);
      if (blockdev === undefined) continue;
      const device = `/dev/${blockdev}`;
      const mounted = mounts.filter(({ source }) => source === device);
      for (const { mountPoint, fsType } of mounted) {
        if (fsType !== "ext4")
          uses.push(`${device} is mounted at ${mountPoint} as ${fsType}, which is not DAOS's`);
      }
      if (mounted.length === 0 && (await this.#claim(device)) === "claimed") {
        uses.push(`${device} is in use (a partition, a logical volume, swap)`);
      }
    }
    if (uses.length > 0) throw faultNamespacesInUse(uses);
  }

  /** What prepare leaves unchanged, with the reasons. */
  async #notesOnPrepare(options: ScmCallOptions): Promise<readonly string[]> {
    const regions = await this.#tools.regions(options);
    const unusable = (await this.#tools.namespaces(options)).filter(({ mode = "fsdax" }) => mode !== "fsdax");
    return [
      ...regions.flatMap(({ dev, problem }) =>
        problem === undefined ? [] : [`${dev} is left as it is: ${problem}`],
      ),
      ...unusable.map(
        ({ dev, mode }) =>
          `${dev} is ${mode}, which cannot be mounted with dax: "ndctl create-namespace -f -e ${dev} -m fsdax" makes it usable and destroys its data`,
      ),
    ];
  }

  async #done(notes: readonly string[], options: ScmCallOptions): Promise<ScmPrepareResult> {
    const namespaces = await this.#tools.namespaces(options);
    return { kind: "done", namespaces, ...(notes.length === 0 ? {} : { notes }) };
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
    const ended: unknown[] = [];
    for (const { dev } of regions) {
      options.signal?.throwIfAborted();
      try {
        await this.#fillRegion(dev, options);
      } catch (error) {
        if (!hasCode(error, FaultCode.scmPrepareFailed)) throw error;
        this.#log.error("region not prepared", { region: dev, reason: error.message });
        ended.push(error);
      }
    }
    if (ended.length > 0) throw ended[0];
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

  async #formatDirectory(storage: ScmStorage, options: ScmFormatOptions): Promise<void> {
    const mounts = await this.#mounts.list();
    const entry = mountAt(mounts, storage.mount);
    if (entry !== undefined) this.#refuseForeign(storage, entry);
    else if (storage.class === "dcpm" || !isMountedOrBelow(mounts, storage.mount))
      throw faultNotMounted(storage);
    const kind = await kindOf(storage.mount);
    if (kind === "else") throw faultNotADirectory(storage.mount);
    if (kind === "missing") {
      await makeDirectory(storage.mount);
      return;
    }
    const names = await readdir(storage.mount);
    if (names.length === 0) return;
    if (!options.reformat) {
      refuseFormatted(storage, { kind: "mounted" });
    }
    const [below] = mountsBelow(mounts, storage.mount);
    if (below !== undefined) {
      throw faultFilesystemAlreadyMounted(below.mountPoint, below.source, below.fsType);
    }
    await emptyDirectory(storage.mount);
    this.#log.info("SCM directory emptied", { mount: storage.mount });
  }

  async #makeFilesystem(storage: ScmStorage & { class: "dcpm" }, options: ScmFormatOptions): Promise<void> {
    const { device } = storage;
    const { uid, gid } = options.owner ?? callerAsOwner();
    const steps: readonly Argv[] = [
      ["wipefs", "--all", device],
      // Sets the owner of the root directory now. If the mount fails later, nothing has to be repaired. stride: files begin
      // at multiples of 2 MiB, which huge dax pages need. Lazy initialization and discard are off.
      [
        "mkfs.ext4",
        "-q",
        "-F",
        "-L",
        "daos",
        "-m",
        "0",
        "-b",
        "4096",
        "-E",
        `stride=512,lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=${uid}:${gid}`,
        device,
      ],
    ];
    for (const argv of steps) {
      const { exitCode, stdout, stderr } = await this.#tools.run(argv, "format SCM", {
        ...options,
        timeoutMs: MKFS_TIMEOUT_MS,
      });
      if (exitCode !== 0) throw faultFormatFailed(storage, argv.join(" "), stderr.trim() || stdout.trim());
    }
  }

  async #mountAt(
    storage: ScmStorage,
    options: ScmCallOptions & { readonly owner?: Owner | undefined },
  ): Promise<void> {
    const { mount } = storage;
    if ((await kindOf(mount)) === "else") throw faultNotADirectory(mount);
    await makeDirectory(mount);
    if ((await readdir(mount)).length > 0) {
      this.#log.warn("the mount point is not empty: its contents are hidden while SCM is mounted", { mount });
    }
    const { owner } = options;
    const argv: Argv =
      storage.class === "ram"
        ? ["mount", "-t", "tmpfs", "-o", tmpfsOptions(storage.sizeGiB, owner), "tmpfs", mount]
        : ["mount", "-t", "ext4", "-o", "dax,nodelalloc,noatime,nosuid,nodev", storage.device, mount];
    const { exitCode, stderr } = await this.#tools.run(argv, "mount SCM", options);
    if (exitCode !== 0) throw faultMountFailed(argv.join(" "), stderr.trim());
    if (mountAt(await this.#mounts.list(), mount) === undefined) {
      throw faultMountFailed(argv.join(" "), "it ended without an error, but nothing is mounted there");
    }
    if (owner !== undefined && storage.class === "dcpm") {
      await chmod(mount, 0o700);
      await chown(mount, owner.uid, owner.gid);
    }
    this.#log.info("SCM mounted", { mount, class: storage.class });
  }

  async #unmountPath(mount: string, options: ScmCallOptions): Promise<void> {
    const { exitCode, stderr } = await this.#tools.run(["umount", mount], "unmount SCM", options);
    if (exitCode !== 0) throw faultMountFailed(`umount ${mount}`, stderr.trim());
    this.#log.info("SCM unmounted", { mount });
  }

  /** A mount at `scm_mount` must be of the kind that we would mount there. Any other mount is neither used nor unmounted. */
  #refuseForeign(storage: ScmStorage, entry: MountEntry): void {
    const ours = storage.class === "ram" ? entry.fsType === "tmpfs" : entry.source === storage.device;
    if (!ours) throw faultFilesystemAlreadyMounted(storage.mount, entry.source, entry.fsType);
  }

  /** The type of the file system on a device, undefined when there is none. */
  async #probe(device: string, options: ScmCallOptions): Promise<string | undefined> {
    try {
      const { mode } = await stat(device);
      if ((mode & constants.S_IFMT) !== constants.S_IFBLK) throw faultMissingDevice(device);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) throw faultMissingDevice(device);
      throw error;
    }
    // Low-level probing reads the device itself. The cache of blkid and the udev database may be stale or missing.
    const argv: Argv = ["blkid", "--probe", "--output", "export", device];
    const { exitCode, stdout, stderr } = await this.#tools.run(argv, "look for a file system", options);
    // Status 2: nothing found, or no permission to read the device. Status 8: contradicting signatures.
    if (exitCode === 2 && stderr.trim() === "") return undefined;
    if (exitCode === 8) return "ambivalent";
    if (exitCode !== 0) throw faultDeviceUnreadable(device, stderr.trim() || `blkid ended with ${exitCode}`);
    return parseFsType(stdout);
  }
}

/**
 * The validated storage of a request, with the device name that the mount table uses. A configuration may name a link such
 * as `/dev/disk/by-path/...`.
 */
async function accept(storage: ScmStorage): Promise<ScmStorage> {
  validateStorage(storage);
  if (storage.class === "ram") return storage;
  try {
    return { ...storage, device: await realpath(storage.device) };
  } catch (error) {
    // A missing device is reported by the operation that needs it.
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return storage;
    throw error;
  }
}

function describe({ dev, uuid, mode, size }: AnyNamespace): string {
  return `${dev} (${uuid === "" ? "no label" : `uuid ${uuid}`}, ${mode}, ${size / 1048576n} MiB)`;
}

function refuseFormatted(storage: ScmStorage, state: ScmFormatState): void {
  switch (state.kind) {
    case "mounted":
      throw faultAlreadyFormatted(storage, "it is mounted and counts as formatted");
    case "mountable":
      throw faultAlreadyFormatted(storage, "the device has an ext4 file system");
    case "foreign":
      throw faultAlreadyFormatted(storage, `the device has other contents (${state.fsType})`);
    case "unformatted":
  }
}

function faultNotADirectory(mount: string): Error {
  return faultInvalidParameter(
    `use ${mount} for SCM`,
    "it is a link or a file, not a directory",
    `remove it, or set scm_mount to another directory than ${mount} in ${dirname(mount)}`,
  );
}

function callerAsOwner(): Owner {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function tmpfsOptions(sizeGiB: number, owner: Owner | undefined): string {
  const ids = owner === undefined ? "" : `,uid=${owner.uid},gid=${owner.gid}`;
  return `size=${sizeGiB}g,mode=0700${ids},nosuid,nodev`;
}
