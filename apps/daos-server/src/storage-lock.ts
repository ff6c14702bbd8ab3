import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hasErrorCode, makeDirectories } from "@daos/sys";
import { faultStorageInUse } from "./faults.ts";

/** The file that a server holds in the storage of each of its engines. */
export function storageLockFile(mount: string): string {
  return join(mount, "control_plane", "lock");
}

/**
 * Keeps every other server, also one in another container of this host, from the storage of the engines of this one. A lock
 * is the kernel's, by way of SQLite, and ends with this process, however that ends.
 */
export class StorageLocks implements Disposable {
  readonly #held = new Map<string, DatabaseSync>();

  /** Takes the storage at a mount point, unless it has been taken here before. @throws Fault storageInUse; of the file system */
  async take(mount: string): Promise<void> {
    if (this.#held.has(mount)) return;
    const path = storageLockFile(mount);
    await makeDirectories(dirname(path), { mode: 0o700 });
    const file = new DatabaseSync(path);
    try {
      file.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      file.close();
      if (hasErrorCode(error, "ERR_SQLITE_ERROR") && /locked/.test(error.message))
        throw faultStorageInUse(mount, path, error);
      throw error;
    }
    this.#held.set(mount, file);
  }

  /** Closes the file: the storage is about to be unmounted or formatted. */
  release(mount: string): void {
    this.#held.get(mount)?.close();
    this.#held.delete(mount);
  }

  [Symbol.dispose](): void {
    for (const mount of [...this.#held.keys()]) this.release(mount);
  }
}
