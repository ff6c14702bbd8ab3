import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasErrorCode, type MountEntry, makeDirectories } from "@daos/sys";

/** The kind of entry at a path; links are not followed: `missing`, a `directory`, or something `else`. */
export async function kindOf(path: string): Promise<"missing" | "directory" | "else"> {
  try {
    return (await lstat(path)).isDirectory() ? "directory" : "else";
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return "missing";
    throw error;
  }
}

/** Makes a directory of mode 0700 where there is none; missing parents get 0755, so that its owner can reach it. */
export async function makeDirectory(path: string): Promise<void> {
  await makeDirectories(dirname(path), { mode: 0o755 });
  await makeDirectories(path, { mode: 0o700 });
  await chmod(path, 0o700);
}

/** Empties a directory and keeps the directory. Links are removed, not followed. */
export async function emptyDirectory(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
}

/** The mounts that lie below a directory. */
export function mountsBelow(mounts: readonly MountEntry[], path: string): readonly MountEntry[] {
  return mounts.filter((entry) => entry.mountPoint.startsWith(`${path}/`));
}
