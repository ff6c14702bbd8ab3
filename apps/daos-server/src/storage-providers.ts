import {
  BdevForwarder,
  type BdevOperations,
  BdevProvider,
  DeviceUses,
  DRIVER_JOURNAL,
  fileJournal,
  forwardingBdev,
  type HealthHistory,
  KernelBackend,
  PciDrivers,
  SpdkBackend,
} from "@daos/bdev";
import type { Logger } from "@daos/log";
import { checkHelper, findHelper, formatHelperLocation, type HelperLocation } from "@daos/pbin";
import { ForwardingScm, RememberingScm, type ScmOperations, ScmProvider, type ScmStorage } from "@daos/scm";
import { type CommandRunner, linuxMountTable, linuxSysTree } from "@daos/sys";
import { openDeviceState } from "./state-directory.ts";

export interface StorageProvidersOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** Must be usable when it is given; otherwise the usual places are looked at. */
  readonly helper?: HelperLocation | undefined;
  /** Where what is known of devices is kept, best first. @see stateDirectories */
  readonly stateDirectories: readonly string[];
  /** Of an SPDK target; its usual place if not given. */
  readonly spdkSocket?: string | undefined;
  /** Not a server, but a command that ends at once. */
  readonly isCommand?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Storage as this process can work on it. */
export interface StorageProviders {
  readonly scm: ScmOperations;
  readonly bdev: BdevOperations;
  /** The health of the controllers as it was; undefined where nothing can be kept. */
  readonly history: HealthHistory | undefined;
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
  const state = await openDeviceState(options.stateDirectories, log, options);
  const history = state?.history;
  const spdk = new SpdkBackend({ socket: options.spdkSocket, log: log.child("bdev") });
  const journal = fileJournal(DRIVER_JOURNAL);
  const following = (all: ScmOperations): ScmOperations =>
    state === undefined ? all : new RememberingScm(all, { records: state.namespaces, log });
  const bdevOptions = { runner, log, journal, ...state };
  const kernel = new KernelBackend({
    runner,
    log: log.child("bdev"),
    uses: new DeviceUses({ sys: linuxSysTree, mounts: linuxMountTable, runner, journal }),
    drivers: new PciDrivers({ sys: linuxSysTree, runner, journal }),
  });
  const bdev = new BdevProvider({ ...bdevOptions, backends: [spdk, kernel] });
  if (options.helper === undefined && (await linuxMountTable.mayMount()))
    return { scm: following(scm), bdev, history, mayMount: () => true };
  if (options.helper !== undefined) await checkHelper(options.helper);
  const helper = options.helper ?? (await findHelper());
  if (helper === undefined) return { scm: following(scm), bdev, history, mayMount: () => false };
  log.info("storage goes through the privileged helper", { helper: formatHelperLocation(helper) });
  const forwarding = await ForwardingScm.connect(scm, { helper, signal });
  return {
    scm: following(forwarding),
    bdev: forwardingBdev(new BdevForwarder({ helper }), spdk, bdevOptions),
    history,
    mayMount: (storage) => forwarding.mayMount(storage),
  };
}
