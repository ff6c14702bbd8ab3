import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Fault } from "@daos/fault";
import { hasErrorCode } from "@daos/sys";
import { faultUntrustedPath } from "./faults.ts";

/** The options of {@link openTrusted}. */
export interface TrustOptions {
  /** The required owner of every part of the path; root by default. Tests use another user. */
  readonly uid?: number;
  /**
   * True to accept directories in which only the owner of a file can replace it, such as `/tmp` with its sticky bit.
   */
  readonly stickyParents?: boolean;
}

/** `O_PATH` of Linux on x86-64 and arm64: a descriptor that only names a file. */
const O_PATH = 0o10000000;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Opens a regular file that only root can have written: the file and every directory above it belong to root, other
 * users may not write to them, and none is a symbolic link. Each part is opened once, relative to the descriptor of its
 * parent, and checked through its own descriptor.
 *
 * @param flags of open(2), such as `O_RDONLY`; `O_NOFOLLOW` is added
 * @returns undefined when the file, or a directory above it, does not exist
 * @throws Fault helperUntrustedPath
 */
export async function openTrusted(
  path: string,
  flags: number,
  options: TrustOptions & {
    /** The mode of a file that `O_CREAT` makes. */
    readonly mode?: number;
  } = {},
): Promise<FileHandle | undefined> {
  const parts = split(path);
  const name = parts.pop();
  if (name === undefined) throw faultUntrustedPath(path, path, "is a directory");
  const parent = await walk(path, parts, options);
  if (parent === undefined) return undefined;
  try {
    const file = await openPart(path, path, parent, name, flags | constants.O_NONBLOCK, options.mode);
    if (file === undefined) return undefined;
    return await checked(file, path, path, "file", options);
  } finally {
    await parent.close();
  }
}

/**
 * Checks that only root can change what is at `path`: only root may write to any existing directory above it, and
 * `path` itself is no symbolic link. The last part may belong to any user, as the root of a mounted file system does.
 *
 * @throws Fault helperUntrustedPath
 */
export async function requireTrustedParents(path: string, options: TrustOptions = {}): Promise<void> {
  const parts = split(path);
  const name = parts.pop();
  const parent = await walk(path, parts, options);
  if (parent === undefined) return;
  try {
    if (name === undefined) return;
    await (await openPart(path, path, parent, name, O_PATH))?.close();
  } finally {
    await parent.close();
  }
}

/** The descriptor of the directory `parts`; undefined when it does not exist. */
async function walk(
  path: string,
  parts: readonly string[],
  options: TrustOptions,
): Promise<FileHandle | undefined> {
  let directory = await checked(await open("/", O_PATH), path, "/", "directory", options);
  let at = "";
  for (const part of parts) {
    at += `/${part}`;
    let next: FileHandle | undefined;
    try {
      next = await openPart(path, at, directory, part, O_PATH | constants.O_DIRECTORY);
    } finally {
      await directory.close();
    }
    if (next === undefined) return undefined;
    directory = await checked(next, path, at, "directory", options);
  }
  return directory;
}

async function openPart(
  path: string,
  at: string,
  parent: FileHandle,
  name: string,
  flags: number,
  mode?: number,
): Promise<FileHandle | undefined> {
  try {
    const file = await open(`/proc/self/fd/${parent.fd}/${name}`, flags | constants.O_NOFOLLOW, mode);
    // With O_PATH a link is opened as itself.
    if ((flags & O_PATH) !== 0 && (await file.stat()).isSymbolicLink()) {
      await file.close();
      throw faultUntrustedPath(path, at, "is a symbolic link");
    }
    return file;
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (hasErrorCode(error, "ENOENT")) return undefined;
    if (hasErrorCode(error, "ELOOP")) throw faultUntrustedPath(path, at, "is a symbolic link");
    // A link that is opened as a directory fails with "not a directory".
    if (hasErrorCode(error, "ENOTDIR"))
      throw faultUntrustedPath(path, at, "is not a directory, or a link to one");
    throw error;
  }
}

async function checked(
  file: FileHandle,
  path: string,
  at: string,
  kind: "file" | "directory",
  options: TrustOptions,
): Promise<FileHandle> {
  const status = await file.stat();
  const reason = whyUntrusted(status, kind, options);
  if (reason === undefined) return file;
  await file.close();
  // Changing the owner to root would take a shared directory or a home directory from its users.
  const shared = kind === "directory" && ((status.mode & STICKY) !== 0 || status.uid !== 0);
  throw faultUntrustedPath(path, at, reason, shared ? "elsewhere" : "repair");
}

function whyUntrusted(
  status: { uid: number; mode: number; isFile(): boolean; isDirectory(): boolean },
  kind: "file" | "directory",
  { uid = 0, stickyParents = false }: TrustOptions,
): string | undefined {
  if (kind === "file" && !status.isFile()) return "is not a regular file";
  if (kind === "directory" && !status.isDirectory()) return "is not a directory";
  if (status.uid !== 0 && status.uid !== uid) return `belongs to user ${status.uid}`;
  const isSticky = kind === "directory" && stickyParents && (status.mode & STICKY) !== 0;
  if ((status.mode & WRITABLE_BY_OTHERS) !== 0 && !isSticky) {
    return `may be written to by others than its owner (mode ${(status.mode & 0o7777).toString(8)})`;
  }
  return undefined;
}

function split(path: string): string[] {
  const parts = path.split("/").slice(1);
  if (!path.startsWith("/") || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw faultUntrustedPath(path, path, "is not a plain absolute path");
  }
  return parts;
}
