import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "@daos/sys";
import { faultBusy } from "./faults.ts";
import { openTrusted, type TrustOptions } from "./trusted-path.ts";

/** A resource that a request locks. */
export interface LockRequest {
  /** A mount point, a device, a PCI address; or `scm` and `nvme` for all of a kind. */
  readonly what: string;
  /** A shared lock excludes exclusive locks only. An exclusive lock excludes all others. */
  readonly shared?: boolean;
}

/** Serializes requests of different helper processes. */
export interface Locks {
  /**
   * Takes a lock. It is released by its disposal, or when this process ends.
   *
   * @param options.waitMs how long to wait for another request; 0 for no wait
   * @throws Fault helperBusy, helperUntrustedPath; the signal's reason
   */
  take(
    lock: LockRequest,
    options: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<AsyncDisposable>;
}

/** Takes flock(2) on an open file; false when another process holds it for longer than `waitMs`. */
export type LockFile = (
  file: FileHandle,
  options: {
    readonly shared: boolean;
    readonly waitMs: number;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<boolean>;

export interface FileLocksOptions {
  /** Belongs to root. Created when it does not exist. */
  readonly directory: string;
  readonly lockFile: LockFile;
  /** The holder of a lock, for messages to waiting requests: `ScmFormat, process 4711`. */
  readonly holder: string;
  readonly trust?: TrustOptions | undefined;
}

const MAX_HOLDER = 200;

/** Locks on files of root's, one per resource. Other users cannot open the files, and so cannot lock them. */
export function fileLocks(options: FileLocksOptions): Locks {
  const { directory, lockFile, holder, trust = {} } = options;
  return {
    take: async ({ what, shared = false }, { waitMs, signal }) => {
      await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
        if (!hasErrorCode(error, "EEXIST")) throw error;
      });
      const name = createHash("sha256").update(what).digest("hex").slice(0, 32);
      const path = join(directory, name);
      const { O_RDWR, O_CREAT } = constants;
      const file = await openTrusted(path, O_RDWR | O_CREAT, { ...trust, mode: 0o600 });
      if (file === undefined) throw new Error(`${directory} has vanished`);
      try {
        if (!(await lockFile(file, { shared, waitMs, signal }))) {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HOLDER), 0, MAX_HOLDER, 0);
          throw faultBusy(what, buffer.toString("utf8", 0, bytesRead).trim(), waitMs);
        }
        await file.truncate(0);
        await file.write(`${holder}\n`.slice(0, MAX_HOLDER), 0);
      } catch (error) {
        await file.close();
        throw error;
      }
      return { [Symbol.asyncDispose]: () => file.close() };
    },
  };
}

/** Takes several locks, always in the same order, so that two requests never deadlock. */
export async function takeAll(
  locks: Locks,
  wanted: readonly LockRequest[],
  options: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<AsyncDisposable> {
  const end = performance.now() + options.waitMs;
  await using stack = new AsyncDisposableStack();
  for (const lock of wanted.toSorted((a, b) => (a.what < b.what ? -1 : 1))) {
    const waitMs = Math.max(0, Math.ceil(end - performance.now()));
    stack.use(await locks.take(lock, { waitMs, signal: options.signal }));
  }
  return stack.move();
}
