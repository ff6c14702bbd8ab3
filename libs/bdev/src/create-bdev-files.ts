import { open, rm, statfs } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { type CommandRunner, exists, hasErrorCode, ProcessCommandRunner } from "@daos/sys";
import type { BdevStorage } from "./bdev-types.ts";
import { faultFileFailed, faultFileNoSpace, faultInvalidParameter } from "./faults.ts";

const BLOCK_SIZE = 4096n;

export interface CreateBdevFilesOptions {
  /** Runs `fallocate`; where it is missing or the file system cannot do it, the file is sparse. */
  readonly runner?: CommandRunner;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of a file of class `file`: `sizeGB` * 10^9, rounded down to whole blocks of 4096 bytes. */
export function bdevFileSize(sizeGB: number): bigint {
  const bytes = BigInt(Math.floor(sizeGB * 1e9));
  return (bytes / BLOCK_SIZE) * BLOCK_SIZE;
}

/**
 * Creates the files of class `file` that do not exist yet, with their space allocated; other classes need none. An existing
 * file is kept, with any size. A file that cannot be completed is removed.
 *
 * @throws Fault bdevFormatInvalidParameter, bdevFileNoSpace (before anything is written), bdevFileFailed
 */
export async function createBdevFiles(
  storage: BdevStorage,
  options: CreateBdevFilesOptions = {},
): Promise<void> {
  if (storage.class !== "file") return;
  const size = bdevFileSize(storage.sizeGB);
  const relative = storage.list.find((path) => !isAbsolute(path));
  if (relative !== undefined) {
    throw faultInvalidParameter(
      `cannot use the bdev file "${relative}": its path is not absolute`,
      'write bdev_list with absolute paths such as ["/var/daos/bdev0"]',
    );
  }
  if (size < BLOCK_SIZE && storage.list.length > 0) {
    throw faultInvalidParameter(
      `cannot use bdev files of ${storage.sizeGB} GB: that is less than a block`,
      "set bdev_size to at least 1",
    );
  }
  for (const path of storage.list) await createFile(path, size, options);
}

async function createFile(path: string, size: bigint, options: CreateBdevFilesOptions): Promise<void> {
  options.signal?.throwIfAborted();
  try {
    if (await exists(path)) return;
    const { bavail, bsize } = await statfs(dirname(path), { bigint: true });
    if (bavail * bsize < size) throw faultFileNoSpace(path, size, bavail * bsize);
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if (hasErrorCode(error, "EEXIST")) return;
    if (error instanceof Error && "code" in error && typeof error.code === "string") {
      throw faultFileFailed(path, error.message);
    }
    throw error;
  }
  try {
    await allocate(path, size, options);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function allocate(path: string, size: bigint, options: CreateBdevFilesOptions): Promise<void> {
  const { runner = new ProcessCommandRunner(), signal } = options;
  try {
    const { exitCode, stderr } = await runner.run(["fallocate", "--length", `${size}`, path], { signal });
    if (exitCode === 0) return;
    if (/no space left/i.test(stderr)) {
      const { bavail, bsize } = await statfs(dirname(path), { bigint: true });
      throw faultFileNoSpace(path, size, bavail * bsize);
    }
    if (!/not supported|not implemented/i.test(stderr)) throw faultFileFailed(path, stderr.trim());
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
  const file = await open(path, "r+");
  try {
    await file.truncate(Number(size));
  } finally {
    await file.close();
  }
}
