import { access, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { basename, join } from "node:path";

/** The library of Debian's package libfaketime for programs with several threads. */
const LIBRARY = `/usr/lib/${arch() === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** The directory of shared memory and, with a prefix, of glibc's named semaphores. */
const SHARED = "/dev/shm";

/**
 * A separate wall clock for the programs that are started with its environment, and for their children. It can jump like a
 * machine's clock; monotonic time is not affected. Dispose of it when the programs have ended.
 */
export class WallClock implements AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  /** The offset from the machine's clock, ms. */
  offsetMs = 0;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    const name = basename(directory);
    this.environment = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      // Files keep the kernel's times: faking them would use the semaphore below at each stat.
      NO_FAKE_STAT: "1",
      FAKETIME_SHARED: `/${name} /${name}`,
    };
  }

  /** @throws Error when the library is missing: the programs would silently use the machine's clock */
  static async create(): Promise<WallClock> {
    await access(LIBRARY).catch((cause: unknown) => {
      throw new Error(`${LIBRARY} is missing; on Debian, it is in the package libfaketime`, { cause });
    });
    const clock = new WallClock(await mkdtemp(join(tmpdir(), "daos-clock-")));
    // The library would create these files itself, and leave them behind when its program is killed. Their purpose, times that
    // several programs read in turn, is not used. A semaphore with a large count cannot stay locked either.
    const semaphore = Buffer.alloc(32);
    semaphore.writeInt32LE(1_000_000);
    await writeFile(clock.#semaphore, semaphore);
    await writeFile(clock.#memory, Buffer.alloc(4096));
    await clock.set(0);
    return clock;
  }

  /** Sets the offset from the machine's clock, ms; negative is behind it. It takes effect in the programs at once. */
  async set(offsetMs: number): Promise<void> {
    const seconds = (offsetMs / 1000).toFixed(3);
    const next = `${this.#file}.new`;
    await writeFile(next, `${offsetMs < 0 ? "" : "+"}${seconds}\n`);
    await rename(next, this.#file);
    this.offsetMs = offsetMs;
  }

  get #file(): string {
    return join(this.#directory, "offset");
  }

  get #semaphore(): string {
    return join(SHARED, `sem.${basename(this.#directory)}`);
  }

  get #memory(): string {
    return join(SHARED, basename(this.#directory));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of [this.#directory, this.#semaphore, this.#memory])
      await rm(path, { recursive: true, force: true });
  }
}
