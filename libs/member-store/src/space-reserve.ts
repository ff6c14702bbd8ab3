import {
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { hasErrorCode } from "@daos/sys";

/** The reserve is only made where this many times its size is free: it must not fill the file system itself. */
const MIN_FREE_FACTOR = 4;
const CHUNK = Buffer.alloc(64 * 1024);
/** A reserve that was given up is made again at most this often, ms. */
const RESTORE_MS = 60_000;

/**
 * A file that occupies space beside a store. When the file system is full, it is removed, and the store can still record
 * what happens.
 *
 * @see docs/decisions/0047-reserve-of-the-members-file.md
 */
export class SpaceReserve {
  readonly #path: string;
  readonly #bytes: number;
  #nextAttempt = 0;

  constructor(path: string, { bytes }: { readonly bytes: number }) {
    this.#path = path;
    this.#bytes = bytes;
  }

  /**
   * Makes the file, unless it is there or there is too little room.
   *
   * @returns whether it is there
   */
  make(): boolean {
    if (this.#isThere()) return true;
    this.#nextAttempt = performance.now() + RESTORE_MS;
    const temporary = `${this.#path}.tmp`;
    try {
      if (freeBytes(dirname(this.#path)) < MIN_FREE_FACTOR * this.#bytes) return false;
      // Written, not truncated to its size: a sparse file occupies nothing.
      const fd = openSync(temporary, "w", 0o600);
      try {
        for (let left = this.#bytes; left > 0; left -= CHUNK.length)
          writeSync(fd, CHUNK, 0, Math.min(left, CHUNK.length));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, this.#path);
      return true;
    } catch {
      // Someone else may have taken the room, or the file system fails: the store works without a reserve.
      rmSync(temporary, { force: true });
      return false;
    }
  }

  /** {@link make}, at most once a minute: cheap enough for every commit. */
  restore(): void {
    if (performance.now() >= this.#nextAttempt) this.make();
  }

  /** Removes the file. @returns whether that has freed space */
  giveUp(): boolean {
    this.#nextAttempt = performance.now() + RESTORE_MS;
    try {
      unlinkSync(this.#path);
      return true;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return false;
      throw error;
    }
  }

  #isThere(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.size === this.#bytes;
  }
}

/** The space that this process may still use in the file system of a directory, bytes. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
