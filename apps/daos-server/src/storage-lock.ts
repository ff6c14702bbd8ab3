import { closeSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { tryLockFile } from "@daos/drpc";
import { faultStorageUnwritable } from "@daos/instance";
import { delay, makeDirectories } from "@daos/sys";
import { faultStorageInUse } from "./faults.ts";

/** The file that a server locks in the storage of each of its engines. */
function storageLockFile(mount: string): string {
  return join(mount, "control_plane", "lock");
}

/** How long to wait for the lock, ms. The engines of a killed server are killed too, which takes a moment. */
const LOCK_TIMEOUT_MS = 10_000;
const RETRY_MS = 100;

/** @throws Fault storageUnwritable */
async function openLockFile(path: string, mount: string): Promise<number> {
  try {
    await makeDirectories(dirname(path), { mode: 0o700 });
    return openSync(path, "a", 0o600);
  } catch (error) {
    throw faultStorageUnwritable(path, mount, error);
  }
}

/**
 * Locks the storage of this server's engines against every other server, also in another container of this host. Each engine
 * inherits the lock on its storage (flock), so the lock ends with the last process that may write there.
 */
export class StorageLocks implements Disposable {
  readonly #held = new Map<string, number>();
  readonly #timeoutMs: number;

  constructor({ timeoutMs = LOCK_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Locks the storage at a mount point, unless this object has locked it before.
   *
   * @throws Fault storageInUse, storageUnwritable; the signal's reason
   */
  async take(mount: string, wait: { readonly signal: AbortSignal }): Promise<void> {
    if (this.#held.has(mount)) return;
    const path = storageLockFile(mount);
    const fd = await openLockFile(path, mount);
    try {
      for (let waitedMs = 0; !tryLockFile(fd); waitedMs += RETRY_MS) {
        if (waitedMs >= this.#timeoutMs) throw faultStorageInUse(mount, path);
        await delay(RETRY_MS, wait);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#held.set(mount, fd);
  }

  /**
   * The descriptor with the lock on the storage at a mount point, which the engine inherits; undefined for unlocked storage.
   */
  descriptor(mount: string): number | undefined {
    return this.#held.get(mount);
  }

  /** Releases the lock before the storage is unmounted or formatted. */
  release(mount: string): void {
    const fd = this.#held.get(mount);
    if (fd === undefined) return;
    this.#held.delete(mount);
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    for (const mount of [...this.#held.keys()]) this.release(mount);
  }
}
