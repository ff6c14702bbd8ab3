import { constants } from "node:fs";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@daos/sys";
import { decodeSuperblock, encodeSuperblock } from "./codec.ts";
import {
  faultSuperblockMalformed,
  faultSuperblockNewerVersion,
  faultSuperblockOtherSystem,
  faultSuperblockUnreadable,
  faultSuperblockUnwritable,
} from "./faults.ts";
import type { Superblock } from "./superblock.ts";

const MAX_FILE_BYTES = 64 * 1024;

/** The path of the superblock of the storage mounted at `scmMount`. */
export function superblockPath(scmMount: string): string {
  return join(scmMount, "superblock");
}

/**
 * Reads the superblock of the storage mounted at `scmMount`, written by this release or by 0.8.0.
 *
 * @returns `undefined` when there is no such file
 * @throws Fault superblockUnreadable (directory, symbolic link, no permission), superblockMalformed (empty, torn,
 *   damaged), superblockNewerVersion, superblockOtherSystem
 */
export async function readSuperblock(
  scmMount: string,
  options: { readonly system: string },
): Promise<Superblock | undefined> {
  const path = superblockPath(scmMount);
  const bytes = await readRegularFile(path);
  if (bytes === undefined) return undefined;
  const decoded = decodeSuperblock(bytes);
  switch (decoded.kind) {
    case "malformed":
      throw faultSuperblockMalformed(path, decoded.reason);
    case "newer":
      throw faultSuperblockNewerVersion(path, decoded.version);
    case "superblock": {
      const { system } = decoded.superblock;
      if (system !== options.system) throw faultSuperblockOtherSystem(path, system, options.system);
      return decoded.superblock;
    }
  }
}

/**
 * Replaces the superblock of the storage mounted at `scmMount`; a crash at any time leaves the old or the new one. The file
 * is readable by its owner only (0600).
 *
 * @throws Fault superblockUnwritable
 */
export async function writeSuperblock(scmMount: string, superblock: Superblock): Promise<void> {
  const path = superblockPath(scmMount);
  const write = async () => {
    try {
      await removeLeftovers(scmMount);
      await writeFileAtomic(path, encodeSuperblock(superblock), { mode: 0o600 });
    } catch (error) {
      throw faultSuperblockUnwritable(path, error);
    }
  };
  // One after the other, so that no writer removes the temporary file of another.
  const previous = writing.get(path) ?? Promise.resolve();
  const current = previous.then(write, write);
  writing.set(path, current);
  try {
    await current;
  } finally {
    if (writing.get(path) === current) writing.delete(path);
  }
}

/** The last write of each file, while it is under way. */
const writing = new Map<string, Promise<void>>();

/** Removes the temporary files of writers that were killed. @see writeFileAtomic for their names */
async function removeLeftovers(scmMount: string): Promise<void> {
  const names = await readdir(scmMount);
  const leftovers = names.filter((name) => /^\.superblock\.[0-9a-f]+\.tmp$/.test(name));
  await Promise.all(leftovers.map((name) => rm(join(scmMount, name), { force: true })));
}

/** The bytes of a regular file; links are refused. `undefined` when there is no file. */
async function readRegularFile(path: string): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: a pipe in its place must not block the open.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    const reason = code === "ELOOP" ? "it is a symbolic link" : String((error as Error).message);
    throw faultSuperblockUnreadable(path, reason, error);
  }
  try {
    const status = await file.stat();
    if (status.isDirectory()) throw faultSuperblockUnreadable(path, "it is a directory");
    if (!status.isFile()) throw faultSuperblockUnreadable(path, "it is not a regular file");
    if (status.size > MAX_FILE_BYTES) {
      throw faultSuperblockMalformed(path, `it has ${status.size} bytes, a superblock has a few hundred`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}
