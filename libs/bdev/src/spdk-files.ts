import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode, type SysTree } from "@daos/sys";

/** The directory operations of {@link removeDeadSpdkFiles}. */
export interface SpdkFileSystem {
  list(directory: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
}

/** The files that an SPDK process maps its memory from, and leaves when it is killed: `spdk_pid4711map_0`. */
const OF_PROCESS = /^spdk_pid(\d+)map_\d+$/;
/** The same of a process with a shared-memory id, which does not show the process. */
const OF_GROUP = /^spdk\d+map_\d+$/;

/**
 * Removes the files of SPDK processes that have ended from a hugetlbfs. Each keeps its hugepages until then. Files that this
 * user may not remove stay.
 *
 * @param options.groups also files that do not show their process; only when no process drives a controller
 * @returns the paths that were removed
 */
export async function removeDeadSpdkFiles(
  directories: readonly string[],
  options: {
    readonly sys: SysTree;
    readonly groups?: boolean | undefined;
    readonly files?: SpdkFileSystem | undefined;
  },
): Promise<readonly string[]> {
  const { sys, groups = false, files = linuxFiles } = options;
  const removed: string[] = [];
  for (const directory of directories) {
    for (const name of await files.list(directory)) {
      const [, pid] = OF_PROCESS.exec(name) ?? [];
      const isDead =
        pid === undefined
          ? groups && OF_GROUP.test(name)
          : (await sys.read(`/proc/${pid}/stat`)) === undefined;
      if (!isDead) continue;
      try {
        await files.remove(join(directory, name));
        removed.push(join(directory, name));
      } catch (error) {
        if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS")) throw error;
      }
    }
  }
  return removed;
}

const linuxFiles: SpdkFileSystem = {
  list: async (directory) => {
    try {
      return await readdir(directory);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
      throw error;
    }
  },
  remove: (path) => rm(path, { force: true }),
};
