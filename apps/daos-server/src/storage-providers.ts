import { BdevProvider } from "@daos/bdev";
import type { Logger } from "@daos/log";
import {
  checkHelper,
  ForwardingScm,
  findHelper,
  formatHelperLocation,
  HelperBdev,
  type HelperLocation,
} from "@daos/pbin";
import { type ScmOperations, ScmProvider, type ScmStorage } from "@daos/scm";
import { type CommandRunner, linuxMountTable } from "@daos/sys";

export interface StorageProvidersOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** Must be usable when it is given; otherwise the usual places are looked at. */
  readonly helper?: HelperLocation | undefined;
  readonly signal: AbortSignal;
}

/** What the server does with block devices. */
export type BdevOperations = Pick<BdevProvider, "scan" | "check" | "format" | "prepare" | "reset">;

/** Storage as this process can work on it. */
export interface StorageProviders {
  readonly scm: ScmOperations;
  readonly bdev: BdevOperations;
  /** True for storage that can be mounted, by this process or by the helper for it. */
  readonly mayMount: (storage: ScmStorage) => boolean;
}

/**
 * The providers with the rights of this process when it has them, else through the privileged helper, else without: then
 * storage has to be a directory below a mount point.
 *
 * @throws Fault of a helper that was asked for, or that is there, but cannot be used
 */
export async function storageProviders(options: StorageProvidersOptions): Promise<StorageProviders> {
  const { runner, log, signal } = options;
  const scm = new ScmProvider({ runner, log });
  const bdev = new BdevProvider({ runner, log });
  if (options.helper === undefined && (await linuxMountTable.mayMount()))
    return { scm, bdev, mayMount: () => true };
  if (options.helper !== undefined) await checkHelper(options.helper);
  const helper = options.helper ?? (await findHelper());
  if (helper === undefined) return { scm, bdev, mayMount: () => false };
  log.info("storage goes through the privileged helper", { helper: formatHelperLocation(helper) });
  const forwarding = await ForwardingScm.connect(scm, { helper, signal });
  return {
    scm: forwarding,
    // To see which controllers there are needs no rights.
    bdev: Object.assign(new HelperBdev({ helper }), { check: bdev.check.bind(bdev) }),
    mayMount: (storage) => forwarding.mayMount(storage),
  };
}
