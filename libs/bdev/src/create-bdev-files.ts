import { lstat, open, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { Fault } from "@daos/fault";
import { type CommandRunner, exists, hasErrorCode, ProcessCommandRunner, syncDirectory } from "@daos/sys";
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
 * file is kept, with any size but 0. A file that cannot be completed is removed.
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

/** Made under another name first: a file that a crash has left half made must not count as one with data. */
async function createFile(path: string, size: bigint, options: CreateBdevFilesOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const unfinished = join(dirname(path), `.${basename(path)}.unfinished`);
  try {
    if (await holdsData(path)) return;
    // What an earlier attempt has left occupies space.
    await rm(unfinished, { force: true });
    const { bavail, bsize } = await statfs(dirname(path), { bigint: true });
    if (bavail * bsize < size) throw faultFileNoSpace(path, size, bavail * bsize);
    await (await open(unfinished, "wx", 0o600)).close();
  } catch (error) {
    throw fileFault(path, error);
  }
  try {
    await allocate(path, unfinished, size, options);
    await syncFile(unfinished);
    await rename(unfinished, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(unfinished, { force: true });
    throw fileFault(path, error);
  }
}

/**
 * False for a file that does not exist, and for an empty one, in which nothing can be lost. A link is kept, also to an empty
 * file.
 *
 * @throws Fault bdevFileFailed for a link to nothing: its file system may not be mounted yet
 */
async function holdsData(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    if (!found.isSymbolicLink()) return !found.isFile() || found.size > 0;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
  if (!(await exists(path))) throw faultFileFailed(path, "it is a link to a file that does not exist");
  return true;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** An error of the operating system becomes a fault. */
function fileFault(path: string, error: unknown): unknown {
  return error instanceof Error && !(error instanceof Fault) && "errno" in error
    ? faultFileFailed(path, error.message)
    : error;
}

async function allocate(
  path: string,
  unfinished: string,
  size: bigint,
  options: CreateBdevFilesOptions,
): Promise<void> {
  const { runner = new ProcessCommandRunner(), signal } = options;
  try {
    const { exitCode, stderr } = await runner.run(["fallocate", "--length", `${size}`, unfinished], {
      signal,
    });
    if (exitCode === 0) return;
    if (/no space left/i.test(stderr)) {
      const { bavail, bsize } = await statfs(dirname(path), { bigint: true });
      throw faultFileNoSpace(path, size, bavail * bsize);
    }
    if (!/not supported|not implemented/i.test(stderr)) throw faultFileFailed(path, stderr.trim());
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
  const file = await open(unfinished, "r+");
  try {
    await file.truncate(Number(size));
  } finally {
    await file.close();
  }
}
