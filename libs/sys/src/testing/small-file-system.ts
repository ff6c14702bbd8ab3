import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A tmpfs of its own, to be filled up. Takes root. Dispose of it. */
export class SmallFileSystem implements Disposable {
  readonly path: string;

  constructor(mebibytes: number) {
    this.path = mkdtempSync(join(tmpdir(), "daos-small-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", this.path]);
  }

  /** Fills it to the last block with a file that is not of DAOS. */
  fill(): void {
    const fd = openSync(join(this.path, "other-data"), "a");
    try {
      for (const size of [1024 * 1024, 4096, 1]) {
        try {
          for (;;) writeSync(fd, Buffer.alloc(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Removes what {@link fill} wrote. */
  makeRoom(): void {
    rmSync(join(this.path, "other-data"), { force: true });
  }

  /** As the kernel does when it finds an error on a file system. */
  makeReadOnly(): void {
    execFileSync("mount", ["-o", "remount,ro", this.path]);
  }

  [Symbol.dispose](): void {
    // The test may have unmounted it.
    spawnSync("umount", ["-l", this.path]);
    rmdirSync(this.path);
  }
}
