import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EngineConfig } from "@daos/config";
import { toFault } from "@daos/fault";
import { readSuperblock } from "@daos/superblock";
import { hasErrorCode, isReadOnly, listMounts, type MountEntry, mountAt } from "@daos/sys";

/** A snapshot of the place where an engine has its storage. */
export interface StorageFacts {
  /** What is mounted at `scm_mount`; undefined for a directory of another file system. */
  readonly mounted: Pick<MountEntry, "source" | "fsType" | "device"> | undefined;
  /** Nothing can be written there; false by default. */
  readonly isReadOnly?: boolean | undefined;
  /** Device and inode of the directory at `scm_mount`, `64769:2`; undefined when there is none. */
  readonly directory: string | undefined;
  /** The identity in the superblock, or why there is none. */
  readonly superblock:
    | { readonly kind: "uuid"; readonly uuid: string }
    | { readonly kind: "missing" }
    | { readonly kind: "unreadable"; readonly reason: string };
  /** The {@link ENGINE_DIRECTORIES} that exist. */
  readonly directories: readonly string[];
  /** Device and inode of each file or kernel device of the configuration that is there. */
  readonly devices: Readonly<Record<string, string>>;
}

/**
 * Directories that an engine and its server keep at the top of the SCM for as long as it is formatted. Those of pools come
 * and go.
 *
 * @see DAOS 0.8.0 src/mgmt/srv_target.c ds_mgmt_tgt_init
 */
const ENGINE_DIRECTORIES: readonly string[] = ["NEWBORNS", "ZOMBIES", "control_plane"];

/** Looks at the storage of an engine. @throws the error of a part that cannot be read; a missing part is no error */
export async function readStorageFacts(
  config: Pick<EngineConfig, "scm" | "bdev" | "systemName">,
): Promise<StorageFacts> {
  const { mount } = config.scm;
  const mounts = await listMounts();
  const entry = mountAt(mounts, mount);
  const directory = await identityOf(mount);
  const names = directory === undefined ? [] : await namesIn(mount, entry !== undefined);
  return {
    mounted: entry && { source: entry.source, fsType: entry.fsType, device: entry.device ?? "" },
    isReadOnly: isReadOnly(mounts, mount),
    directory,
    superblock: names === undefined ? { kind: "missing" } : await readIdentity(config),
    directories: ENGINE_DIRECTORIES.filter((name) => names?.includes(name)),
    devices: await readDevices(config.bdev),
  };
}

/**
 * The differences between an engine's storage and its accepted state; empty for none. New parts are no difference. A
 * lost mount is named alone, because it explains the rest.
 */
export function storageLosses(
  mount: string,
  accepted: StorageFacts,
  found: StorageFacts,
  /** Mounted again by an operator: then the superblock says whether it is the same. */
  options: { readonly remounted?: boolean } = {},
): readonly string[] {
  const was = accepted.mounted;
  const is = found.mounted;
  if (found.directory === undefined) return [`${mount} does not exist any more`];
  if (was !== undefined && is === undefined)
    return [`${mount} is not mounted any more (it was ${showMount(was)})`];
  if (options.remounted !== true) {
    if (showMount(was) !== showMount(is))
      return [`${showMount(is)} is mounted at ${mount}, where ${showMount(was)} was`];
    if (accepted.directory !== found.directory)
      return [`${mount} is another directory than before (${found.directory}, not ${accepted.directory})`];
  }
  if (found.isReadOnly === true)
    return [
      `${mount} is read-only: it was mounted so, or the kernel made it so after an error of its file system (dmesg)`,
    ];
  const superblock = superblockLoss(mount, accepted, found);
  if (superblock !== undefined) return [superblock];
  return accepted.directories
    .filter((name) => !found.directories.includes(name))
    .map((name) => `the directory ${join(mount, name)} is missing`);
}

/** Undefined for the bare mount point that the helper made: it is root's alone, and has nothing of the server's. */
async function namesIn(mount: string, isMounted: boolean): Promise<readonly string[] | undefined> {
  try {
    return await readdir(mount);
  } catch (error) {
    if (!isMounted && hasErrorCode(error, "EACCES")) return undefined;
    throw error;
  }
}

/** The files and kernel devices that are missing, or are others than they were. */
export function deviceLosses(
  accepted: Pick<StorageFacts, "devices">,
  found: Pick<StorageFacts, "devices">,
): readonly string[] {
  return Object.entries(accepted.devices).flatMap(([path, identity]) => {
    const now = found.devices[path];
    if (now === undefined) return [`the bdev ${path} is missing`];
    return now === identity ? [] : [`the bdev ${path} is another file or device than before`];
  });
}

/** Identity of each existing file or kernel device; the bdev provider checks NVMe controllers. */
async function readDevices(bdev: EngineConfig["bdev"]): Promise<StorageFacts["devices"]> {
  if (bdev.class !== "file" && bdev.class !== "kdev") return {};
  const found: Record<string, string> = {};
  for (const path of bdev.list) {
    const identity = await identityOf(path);
    if (identity !== undefined) found[path] = identity;
  }
  return found;
}

function superblockLoss(mount: string, accepted: StorageFacts, found: StorageFacts): string | undefined {
  const { superblock } = found;
  switch (superblock.kind) {
    case "missing":
      return `the superblock in ${mount} is missing`;
    case "unreadable":
      return superblock.reason;
    case "uuid": {
      const was = accepted.superblock.kind === "uuid" ? accepted.superblock.uuid : undefined;
      if (was === superblock.uuid) return undefined;
      return `the superblock in ${mount} is that of another engine (${superblock.uuid}, not ${was})`;
    }
    default:
      return superblock satisfies never;
  }
}

function showMount(mounted: StorageFacts["mounted"]): string {
  if (mounted === undefined) return "a directory of another file system";
  return `${mounted.fsType} ${mounted.source}, device ${mounted.device}`;
}

async function readIdentity({
  scm,
  systemName,
}: Pick<EngineConfig, "scm" | "systemName">): Promise<StorageFacts["superblock"]> {
  try {
    const superblock = await readSuperblock(scm.mount, { system: systemName });
    return superblock === undefined ? { kind: "missing" } : { kind: "uuid", uuid: superblock.uuid };
  } catch (error) {
    return { kind: "unreadable", reason: toFault(error).message };
  }
}

/** A block device is known by its own number, so that a device node that udev makes anew is the same. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return found.isBlockDevice() ? `block ${found.rdev}` : `${found.dev}:${found.ino}`;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
