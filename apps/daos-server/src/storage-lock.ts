import { closeSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { tryLockFile } from "@daos/drpc";
import { delay, makeDirectories } from "@daos/sys";
import { faultStorageInUse } from "./faults.ts";

/** The file that a server holds in the storage of each of its engines. */
function storageLockFile(mount: string): string {
  return join(mount, "control_plane", "lock");
}

/** The engines of a server that was killed are killed too, which takes a moment, ms. */
const LOCK_TIMEOUT_MS = 10_000;
const RETRY_MS = 100;

/**
 * Keeps every other server, also one in another container of this host, from the storage of the engines of this one. Each
 * engine inherits the lock on its storage (flock), so the lock ends with the last process that may write there.
 */
export class StorageLocks implements Disposable {
  readonly #held = new Map<string, number>();
  readonly #timeoutMs: number;

  constructor({ timeoutMs = LOCK_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Takes the storage at a mount point, unless it has been taken here before.
   *
   * @throws Fault storageInUse; of the file system; the signal's reason
   */
  async take(mount: string, wait: { readonly signal: AbortSignal }): Promise<void> {
    if (this.#held.has(mount)) return;
    const path = storageLockFile(mount);
    await makeDirectories(dirname(path), { mode: 0o700 });
    const fd = openSync(path, "a", 0o600);
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

  /** The descriptor that holds the storage at a mount point, for its engine to inherit; undefined when it is not taken. */
  descriptor(mount: string): number | undefined {
    return this.#held.get(mount);
  }

  /** Closes the file: the storage is about to be unmounted or formatted. */
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
