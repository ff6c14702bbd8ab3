import { chmod, chown, constants, readdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorText } from "@daos/fault";
import type { Logger } from "@daos/log";
import {
  type Argv,
  type BlockClaim,
  type CommandRunner,
  claimOf,
  hasErrorCode,
  isMountedOrBelow,
  linuxMountTable,
  linuxSysTree,
  type MountEntry,
  type MountTable,
  mountAt,
  type Owner,
  readBlockSignatures,
  type SysTree,
} from "@daos/sys";
import { emptyDirectory, kindOf, makeDirectory, mountsBelow } from "./directory.ts";
import {
  faultAlreadyFormatted,
  faultDeviceAlreadyMounted,
  faultDeviceInUse,
  faultDeviceUnreadable,
  faultFilesystemAlreadyMounted,
  faultFormatFailed,
  faultInvalidParameter,
  faultMissingDevice,
  faultMountedWithoutDax,
  faultMountFailed,
  faultMountPointFailed,
  faultNoDax,
  faultNoNamespace,
  faultNotMounted,
} from "./faults.ts";
import { listPmemDevices, namespaceUuid, supportsDax } from "./pmem-devices.ts";
import type { ScmCallOptions, ScmFormatOptions, ScmOperations } from "./scm-operations.ts";
import { ScmPreparer } from "./scm-preparer.ts";
import { ScmTools } from "./scm-tools.ts";
import type { ScmFormatState, ScmPrepareResult, ScmScan, ScmStorage } from "./scm-types.ts";
import { usesOfPmem } from "./use-of-pmem.ts";
import { validateStorage } from "./validate-storage.ts";

export interface ScmProviderOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly mounts?: MountTable;
  /** The kernel's by default. */
  readonly sys?: SysTree;
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
  readonly #sys: SysTree;
  readonly #preparer: ScmPreparer;
  readonly #log: Logger;

  constructor(options: ScmProviderOptions) {
    this.#tools = new ScmTools(options.runner);
    this.#mounts = options.mounts ?? linuxMountTable;
    this.#sys = options.sys ?? linuxSysTree;
    this.#log = options.log.child("scm");
    this.#preparer = new ScmPreparer({
      tools: this.#tools,
      mounts: this.#mounts,
      sys: this.#sys,
      claim: options.claim ?? claimOf,
      log: this.#log,
    });
  }

  /**
   * Lists modules (ipmctl) and namespaces (ndctl). A scan does not fail: when a tool is not installed or does not answer,
   * its list is empty and a note says why.
   */
  async scan(options: ScmCallOptions = {}): Promise<ScmScan> {
    const notes: string[] = [];
    const look = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        options.signal?.throwIfAborted();
        notes.push(`no ${what}: ${errorText(error)}`);
        return undefined;
      }
    };
    const modules = (await look("SCM modules", () => this.#tools.modules(options))) ?? [];
    const found = await look("SCM namespaces", () => this.#tools.namespaces(options));
    for (const { dev, mode, blockdev } of found?.all ?? []) {
      if (blockdev === undefined) notes.push(`${dev} (${mode}) has no block device, so no engine can use it`);
    }
    for (const note of notes) this.#log.info(note);
    return { modules, namespaces: found?.usable ?? [], notes };
  }

  /**
   * @throws Fault scmFormatInvalidParameter, storageFilesystemAlreadyMounted (a foreign file system is mounted there),
   *   storageDeviceAlreadyMounted, scmMissingDevice, scmNamespaceMissing, scmWithoutDax, scmDeviceUnreadable,
   *   missingSoftwareDependency
   */
  async checkFormat(configured: ScmStorage, options: ScmCallOptions = {}): Promise<ScmFormatState> {
    const storage = await this.#accept(configured);
    options.signal?.throwIfAborted();
    const mounts = await this.#mounts.list();
    const entry = mountAt(mounts, storage.mount);
    if (entry !== undefined) {
      this.#refuseForeign(storage, entry);
      if (storage.class === "dcpm") refuseWithoutDax(entry);
      return { kind: "mounted" };
    }
    if (storage.class === "ram") {
      if (await this.#mounts.mayMount()) return { kind: "unformatted" };
      const usable =
        isMountedOrBelow(mounts, storage.mount) &&
        (await usingDirectory(storage.mount, () => kindOf(storage.mount))) !== "missing";
      return { kind: usable ? "mounted" : "unformatted" };
    }
    refuseElsewhere(storage, mounts);
    if ((await supportsDax(this.#sys, storage.device)) === false) throw faultNoDax(storage.device);
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
    const storage = await this.#accept(configured);
    if (!(await this.#mounts.mayMount())) return this.#formatDirectory(storage, options);
    const state = await this.checkFormat(storage, options);
    if (!options.reformat) refuseFormatted(storage, state);
    if (storage.class === "dcpm") {
      refuseElsewhere(storage, await this.#mounts.list());
      const [use] = await usesOfPmem(this.#sys, [storage.device.replace(/^\/dev\//, "")]);
      if (use !== undefined) throw faultDeviceInUse(storage, use);
    }
    if (state.kind === "mounted") await this.unmount(storage, options);
    // Before anything is erased.
    await makeMountPoint(storage.mount);
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
    const storage = await this.#accept(configured);
    const mounts = await this.#mounts.list();
    const entry = mountAt(mounts, storage.mount);
    if (entry !== undefined) {
      this.#refuseForeign(storage, entry);
      if (storage.class === "dcpm") refuseWithoutDax(entry);
      return;
    }
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
    const storage = await this.#accept(configured);
    for (;;) {
      const entry = mountAt(await this.#mounts.list(), storage.mount);
      if (entry === undefined) return;
      this.#refuseForeign(storage, entry);
      await this.#unmountPath(storage.mount, options);
    }
  }

  /** As {@link ScmPreparer.prepare}. */
  async prepare(options: ScmCallOptions = {}): Promise<ScmPrepareResult> {
    return this.#preparer.prepare(options);
  }

  /** As {@link ScmPreparer.reset}. */
  async reset(options: ScmCallOptions = {}): Promise<ScmPrepareResult> {
    return this.#preparer.reset(options);
  }

  async #formatDirectory(storage: ScmStorage, options: ScmFormatOptions): Promise<void> {
    const mounts = await this.#mounts.list();
    const entry = mountAt(mounts, storage.mount);
    if (entry !== undefined) this.#refuseForeign(storage, entry);
    else if (storage.class === "dcpm" || !isMountedOrBelow(mounts, storage.mount))
      throw faultNotMounted(storage);
    const kind = await usingDirectory(storage.mount, () => kindOf(storage.mount));
    if (kind === "else") throw faultNotADirectory(storage.mount);
    if (kind === "missing") {
      await usingDirectory(storage.mount, () => makeDirectory(storage.mount));
      return;
    }
    const names = await usingDirectory(storage.mount, () => readdir(storage.mount));
    if (names.length === 0) return;
    if (!options.reformat) {
      refuseFormatted(storage, { kind: "mounted" });
    }
    const [below] = mountsBelow(mounts, storage.mount);
    if (below !== undefined) {
      throw faultFilesystemAlreadyMounted(below.mountPoint, below.source, below.fsType);
    }
    await usingDirectory(storage.mount, () => emptyDirectory(storage.mount));
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
    await makeMountPoint(mount);
    if ((await usingDirectory(mount, () => readdir(mount))).length > 0) {
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
      await usingDirectory(mount, async () => {
        await chmod(mount, 0o700);
        await chown(mount, owner.uid, owner.gid);
      });
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

  /**
   * The validated storage of a request, with the device name that the mount table uses. A configuration may name a link such
   * as `/dev/disk/by-id/pmem-...`, or the uuid of a namespace, because the names of devices change at a reboot.
   */
  async #accept(storage: ScmStorage): Promise<ScmStorage> {
    validateStorage(storage);
    if (storage.class === "ram") return storage;
    const uuid = namespaceUuid(storage.device);
    if (uuid !== undefined) {
      const devices = await listPmemDevices(this.#sys);
      const found = devices.find((device) => device.uuid === uuid);
      if (found === undefined) throw faultNoNamespace(uuid, devices);
      return { ...storage, device: found.path };
    }
    try {
      return { ...storage, device: await realpath(storage.device) };
    } catch (error) {
      // A missing device is reported by the operation that needs it.
      if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return storage;
      throw error;
    }
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
    const runner: CommandRunner = {
      run: (argv, how = {}) => this.#tools.run(argv, "look for a file system", how),
    };
    const found = await readBlockSignatures(runner, device, options);
    switch (found.kind) {
      case "none":
        return undefined;
      case "several":
        return "ambivalent";
      case "one":
        return found.type;
      case "unreadable": {
        const { exitCode, stderr } = found.result;
        throw faultDeviceUnreadable(device, stderr.trim() || `${found.argv[0]} ended with ${exitCode}`);
      }
      default:
        return found satisfies never;
    }
  }
}

/** An engine maps the memory of its files; without dax it would map the page cache. */
function refuseWithoutDax({ mountPoint, source, options }: MountEntry): void {
  if (!/(?:^|,)dax(?:=always)?(?:,|$)/.test(options)) throw faultMountedWithoutDax(mountPoint, source);
}

/** One device can be mounted several times: unmounting ours would leave it in use. */
function refuseElsewhere(
  { device, mount }: { readonly device: string; readonly mount: string },
  mounts: readonly MountEntry[],
): void {
  const elsewhere = mounts.find(({ source, mountPoint }) => source === device && mountPoint !== mount);
  if (elsewhere !== undefined) throw faultDeviceAlreadyMounted(device, elsewhere.mountPoint, mount);
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

/** @throws Fault scmFormatInvalidParameter for a link or a file; scmMountPointFailed */
async function makeMountPoint(mount: string): Promise<void> {
  if ((await usingDirectory(mount, () => kindOf(mount))) === "else") throw faultNotADirectory(mount);
  await usingDirectory(mount, () => makeDirectory(mount));
}

/** @throws Fault scmMountPointFailed in place of an error of the file system */
async function usingDirectory<T>(mount: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw faultMountPointFailed(mount, error);
  }
}

function callerAsOwner(): Owner {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function tmpfsOptions(sizeGiB: number, owner: Owner | undefined): string {
  const ids = owner === undefined ? "" : `,uid=${owner.uid},gid=${owner.gid}`;
  return `size=${sizeGiB}g,mode=0700${ids},nosuid,nodev`;
}
