import { abortable } from "@daos/sys";

/** A latch that is open while the storage with this host's members is mounted. It gives the mount point. */
export class StorageLatch {
  #opened = Promise.withResolvers<string>();

  /** The storage is mounted; the members go below `mount`. */
  open(mount: string): void {
    this.#opened.resolve(mount);
  }

  /** Closes the latch: the storage is about to be unmounted or formatted. */
  close(): void {
    this.#opened = Promise.withResolvers();
  }

  /** Waits for the storage. @returns its mount point */
  opened(options: { readonly signal: AbortSignal }): Promise<string> {
    return abortable(this.#opened.promise, options.signal);
  }
}
