import { chown, mkdir, readdir, stat } from "node:fs/promises";
import type { Logger } from "@daos/log";
import { type CommandRunner, hasErrorCode, type MountEntry, type MountTable, type Owner } from "@daos/sys";
import { faultHugetlbfsFailed, faultHugetlbfsInUse } from "./faults.ts";

/** The mount point on a machine without a hugetlbfs. */
const HUGETLBFS = "/dev/hugepages";
/** Our mount point when a hugetlbfs with another page size is mounted there. */
const HUGETLBFS_2M = "/dev/hugepages2M";
/** The source of our hugetlbfs in the mount table. */
const SOURCE = "daos_hugepages";

/** The directory operations of {@link Hugetlbfs}. */
export interface HugetlbfsFiles {
  /** The names in a directory; none when it does not exist. */
  list(path: string): Promise<readonly string[]>;
  ownerOf(path: string): Promise<Owner>;
  chown(path: string, owner: Owner): Promise<void>;
  makeDirectory(path: string): Promise<void>;
}

export interface HugetlbfsOptions {
  readonly runner: CommandRunner;
  readonly mounts: MountTable;
  readonly log: Logger;
  readonly files?: HugetlbfsFiles | undefined;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The hugetlbfs from which a user's engines map their memory. It is our own mount with nosuid and nodev. An existing
 * hugetlbfs may be in use (libvirt, another SPDK program), so its owner is never changed.
 *
 * DPDK takes the first hugetlbfs of its page size in /proc/mounts, by its path. So our own is mounted over the one in the
 * usual place if that is empty. A hypervisor's hugetlbfs elsewhere is left alone.
 *
 * @see DPDK lib/eal/linux/eal_hugepage_info.c get_hugepage_dir
 */
export class Hugetlbfs {
  readonly #runner: CommandRunner;
  readonly #mounts: MountTable;
  readonly #log: Logger;
  readonly #files: HugetlbfsFiles;

  constructor(options: HugetlbfsOptions) {
    this.#runner = options.runner;
    this.#mounts = options.mounts;
    this.#log = options.log;
    this.#files = options.files ?? linuxFiles;
  }

  /**
   * Ensures a hugetlbfs that `owner` may use in the place where DPDK looks. Root may use any.
   *
   * @throws Fault bdevInUse when the place has a hugetlbfs with files of others, bdevHugepagesShort when none can be
   *   mounted
   */
  async mount(owner: Owner | undefined, options: CallOptions = {}): Promise<void> {
    const mounted = await this.#list();
    const own = mounted.find(isOwn);
    if (own !== undefined) {
      if (owner !== undefined) await this.#files.chown(own.mountPoint, owner);
      return;
    }
    const first = mounted.find(({ mountPoint }) => mountPoint === HUGETLBFS || mountPoint === HUGETLBFS_2M);
    const target = first?.mountPoint ?? ((await this.#isTaken(HUGETLBFS)) ? HUGETLBFS_2M : HUGETLBFS);
    if (first === undefined) await this.#files.makeDirectory(target);
    else {
      if ((owner?.uid ?? 0) === 0 || (await this.#files.ownerOf(first.mountPoint)).uid === owner?.uid) return;
      const names = await this.#files.list(first.mountPoint);
      if (names.length > 0) throw faultHugetlbfsInUse(first.mountPoint, names);
    }
    const { uid, gid } = owner ?? { uid: 0, gid: 0 };
    const flags = `pagesize=2M,mode=0700,uid=${uid},gid=${gid},nosuid,nodev`;
    const { exitCode, stderr } = await this.#runner.run(
      ["mount", "-t", "hugetlbfs", "-o", flags, SOURCE, target],
      { signal: options.signal },
    );
    if (exitCode !== 0) throw faultHugetlbfsFailed(target, stderr.trim());
  }

  /** Where engines of this host map their memory: the usual places that have a hugetlbfs with pages of 2 MiB. */
  async places(): Promise<readonly string[]> {
    const mounted = await this.#list();
    const isPlace = (entry: MountEntry) =>
      isOwn(entry) || entry.mountPoint === HUGETLBFS || entry.mountPoint === HUGETLBFS_2M;
    return [...new Set(mounted.filter(isPlace).map(({ mountPoint }) => mountPoint))];
  }

  /** Unmounts our hugetlbfs, unless it is in use. */
  async unmount(options: CallOptions = {}): Promise<void> {
    for (const { mountPoint } of (await this.#list()).filter(isOwn)) {
      const { exitCode, stderr } = await this.#runner.run(["umount", mountPoint], { signal: options.signal });
      if (exitCode !== 0)
        this.#log.warn("the hugetlbfs stays mounted", { mountPoint, reason: stderr.trim() });
    }
  }

  /** True when a hugetlbfs of any page size is mounted there. */
  async #isTaken(path: string): Promise<boolean> {
    return (await this.#mounts.list()).some(({ mountPoint }) => mountPoint === path);
  }

  /** The hugetlbfs mounts with pages of 2 MiB, in the order of the mount table. */
  async #list(): Promise<readonly MountEntry[]> {
    return (await this.#mounts.list()).filter(({ fsType, options }) => {
      const size = /(?:^|,)pagesize=([^,]+)/.exec(options)?.[1];
      return fsType === "hugetlbfs" && (size === undefined || size === "2M" || size === "2048K");
    });
  }
}

function isOwn({ source }: MountEntry): boolean {
  return source === SOURCE;
}

const linuxFiles: HugetlbfsFiles = {
  list: async (path) => {
    try {
      return await readdir(path);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return [];
      throw error;
    }
  },
  ownerOf: async (path) => {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  },
  chown: (path, { uid, gid }) => chown(path, uid, gid),
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true });
  },
};
