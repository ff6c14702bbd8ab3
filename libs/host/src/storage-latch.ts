import { abortable } from "@daos/sys";

/** Is open while the storage is there in which this host keeps the members, and says where. */
export class StorageLatch {
  #opened = Promise.withResolvers<string>();

  /** The storage is mounted; the members go below `mount`. */
  open(mount: string): void {
    this.#opened.resolve(mount);
  }

  /** The storage is about to go. */
  close(): void {
    this.#opened = Promise.withResolvers();
  }

  /** Waits for the storage. @returns its mount point */
  opened(options: { readonly signal: AbortSignal }): Promise<string> {
    return abortable(this.#opened.promise, options.signal);
  }
}
