import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** How the file is created. */
export interface WriteFileAtomicOptions {
  /** Permission bits of the new file, whatever the umask. */
  readonly mode: number;
  /** Who owns it; root only may give files away. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Replaces the file at `path` so that a crash at any moment leaves the old content or the new, never a mix: a temporary
 * file beside it, fsync, rename, fsync of the directory.
 *
 * @throws the error of the file system, with the path
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: WriteFileAtomicOptions,
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", options.mode);
    try {
      if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
      await file.chmod(options.mode);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw withPath(error, path);
  }
  await syncDirectory(directory);
}

/** Names the file that was to be written: Node.js names the temporary one, or none as in `ENOSPC: no space left on device, write`. */
function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("errno" in error) || !("code" in error)) return error;
  const { code, errno } = error;
  const [reason = ""] = error.message.split(",");
  return Object.assign(new Error(`${reason}, write '${path}'`, { cause: error }), {
    code,
    errno,
    syscall: "write",
    path,
  });
}

/** Makes renames and removals in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
