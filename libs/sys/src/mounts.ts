import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** One line of `/proc/self/mountinfo`. */
export interface MountEntry {
  readonly mountPoint: string;
  /** `/dev/pmem0`, or `tmpfs`. */
  readonly source: string;
  readonly fsType: string;
  /** Mount and superblock options, as in `rw,relatime,dax=always`. */
  readonly options: string;
  /** The device's numbers, `259:0`; those of `tmpfs` and the like name no block device. */
  readonly device?: string;
}

/** What is mounted now, in the order of mounting. @see man 5 proc_pid_mountinfo */
export async function listMounts(): Promise<readonly MountEntry[]> {
  return parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
}

/**
 * Reads mountinfo text. A line looks like
 * `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext4 /dev/root rw,errors=continue`.
 */
export function parseMountInfo(text: string): readonly MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [head = "", tail = ""] = line.split(" - ", 2);
      const fields = head.split(" ");
      const [fsType = "", source = "", superOptions = ""] = tail.split(" ");
      return {
        mountPoint: unescapeOctal(fields[4] ?? ""),
        source: unescapeOctal(source),
        fsType,
        options: `${fields[5] ?? ""},${superOptions}`,
        device: fields[2] ?? "",
      };
    });
}

/** The mount that covers exactly `path`, the newest first. */
export function mountAt(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  const wanted = resolve(path);
  return mounts.findLast((entry) => entry.mountPoint === wanted);
}

/**
 * True when nothing can be written at `path`: the file system there, mounted at the path or above it, is mounted read-only,
 * or the kernel has made it so after an error (`ro`; `emergency_ro` since Linux 6.16).
 */
export function isReadOnly(mounts: readonly MountEntry[], path: string): boolean {
  const wanted = resolve(path);
  const depth = (mountPoint: string) => (mountPoint === "/" ? 0 : mountPoint.length);
  const covers = (mountPoint: string) =>
    mountPoint === "/" || wanted === mountPoint || wanted.startsWith(`${mountPoint}/`);
  const entry = mounts
    .filter(({ mountPoint }) => covers(mountPoint))
    .reduce<MountEntry | undefined>(
      (best, next) => (best === undefined || depth(next.mountPoint) >= depth(best.mountPoint) ? next : best),
      undefined,
    );
  return entry?.options.split(",").some((option) => option === "ro" || option === "emergency_ro") === true;
}

/**
 * True when storage at `path` counts as mounted: the directory itself or its parent is a mount point.
 *
 * @see DAOS 0.8.0 src/control/server/storage/scm/provider.go isMounted
 */
export function isMountedOrBelow(mounts: readonly MountEntry[], path: string): boolean {
  return mountAt(mounts, path) !== undefined || mountAt(mounts, dirname(resolve(path))) !== undefined;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
