import type { BdevOperations } from "@daos/bdev";
import { type Fault, toFault } from "@daos/fault";
import type { ScmCallOptions, ScmOperations, ScmStorage } from "@daos/scm";
import { type Locks, takeAll } from "./locks.ts";

/** Block devices as the helper uses them. */
export type HelperBdev = Omit<BdevOperations, "check">;

export interface LockOptions {
  readonly locks: Locks;
  /** How long a request waits for the lock of another request, ms. */
  readonly waitMs: number;
}

export interface BdevLockOptions extends LockOptions {
  /** The identities of a controller's namespaces. Two controllers may be paths to one device; none by default. */
  readonly namespaceIds?: ((address: string) => Promise<readonly string[]>) | undefined;
}

/**
 * SCM with locks: one request at a time uses a mount point and its device. Requests for other storage run concurrently.
 */
export function lockedScm(scm: ScmOperations, { locks, waitMs }: LockOptions): ScmOperations {
  const onStorage = async (storage: ScmStorage, options: ScmCallOptions, work: () => Promise<void>) => {
    const devices = storage.class === "dcpm" ? [{ what: storage.device }] : [];
    const wanted = [{ what: "scm", shared: true }, { what: storage.mount }, ...devices];
    await using _held = await takeAll(locks, wanted, { waitMs, signal: options.signal });
    await work();
  };
  const onAll = async <T>(options: ScmCallOptions, work: () => Promise<T>) => {
    await using _held = await locks.take({ what: "scm" }, { waitMs, signal: options.signal });
    return await work();
  };
  return {
    scan: (options) => scm.scan(options),
    checkFormat: (storage, options) => scm.checkFormat(storage, options),
    format: (storage, options) => onStorage(storage, options, () => scm.format(storage, options)),
    mount: (storage, options = {}) => onStorage(storage, options, () => scm.mount(storage, options)),
    unmount: (storage, options = {}) => onStorage(storage, options, () => scm.unmount(storage, options)),
    prepare: (options = {}) => onAll(options, () => scm.prepare(options)),
    reset: (options = {}) => onAll(options, () => scm.reset(options)),
  };
}

/** Block devices with locks: one request at a time uses a controller. A locked controller does not block the others. */
export function lockedBdev(bdev: HelperBdev, options: BdevLockOptions): HelperBdev {
  const { locks, waitMs } = options;
  const lock = (addresses: readonly string[], signal: AbortSignal | undefined) =>
    lockControllers(addresses, options, signal);
  return {
    scan: (options) => bdev.scan(options),
    checkFormat: async (storage, options = {}) => {
      await using held = await lock(storage.list, options.signal);
      return [...(await bdev.checkFormat({ ...storage, list: held.free }, options)), ...held.busy];
    },
    format: async (storage, options = {}) => {
      await using held = await lock(storage.list, options.signal);
      return [...(await bdev.format({ ...storage, list: held.free }, options)), ...held.busy];
    },
    burnIn: async (devices, options = {}) => {
      await using held = await lock(devices, options.signal);
      const results = held.free.length === 0 ? [] : await bdev.burnIn(held.free, options);
      return [...results, ...held.busy];
    },
    prepare: async (options = {}) => {
      await using _held = await locks.take({ what: "nvme" }, { waitMs, signal: options.signal });
      return await bdev.prepare(options);
    },
    reset: async (options = {}) => {
      await using _held = await locks.take({ what: "nvme" }, { waitMs, signal: options.signal });
      return await bdev.reset(options);
    },
  };
}

/** Locks the controllers that no other request holds, and their namespaces, which may have other paths. */
async function lockControllers(
  addresses: readonly string[],
  { locks, waitMs: allowedMs, namespaceIds = () => Promise.resolve([]) }: BdevLockOptions,
  signal: AbortSignal | undefined,
) {
  await using stack = new AsyncDisposableStack();
  const end = performance.now() + allowedMs;
  const take = async (what: string, shared = false) => {
    const waitMs = Math.max(0, Math.ceil(end - performance.now()));
    stack.use(await locks.take({ what, shared }, { waitMs, signal }));
  };
  await take("nvme", true);
  const mine = new Set<string>();
  const free: string[] = [];
  const busy: { readonly device: string; readonly fault: Fault }[] = [];
  for (const address of [...new Set(addresses)].sort()) {
    try {
      await take(address);
      for (const id of [...(await namespaceIds(address))].sort()) {
        // Two paths in one request: the backend refuses the second one.
        if (mine.has(id)) continue;
        await take(`namespace ${id}`);
        mine.add(id);
      }
      free.push(address);
    } catch (error) {
      signal?.throwIfAborted();
      busy.push({ device: address, fault: toFault(error) });
    }
  }
  const held = stack.move();
  return { free, busy, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}
