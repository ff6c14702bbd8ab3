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
  /** The privileged helper. If given, it must be usable; otherwise the usual places are searched. */
  readonly helper?: HelperLocation | undefined;
  /** The directories for the records of devices, the best first. @see stateDirectories */
  readonly stateDirectories: readonly string[];
  /** The socket of an SPDK target; its usual path by default. */
  readonly spdkSocket?: string | undefined;
  /** True for a command, which ends at once, and false for a server. */
  readonly isCommand?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** The storage providers with the rights of this process. */
export interface StorageProviders {
  readonly scm: ScmOperations;
  readonly bdev: BdevOperations;
  /** The recorded health of the controllers; undefined without a state directory. */
  readonly history: HealthHistory | undefined;
  /** True when storage can be mounted, by this process or through the helper. */
  readonly mayMount: (storage: ScmStorage) => boolean;
}

/**
 * Opens the providers with the rights of this process if they are sufficient, else through the privileged helper, else without
 * privileges. Without privileges the storage must be a directory below a mount point.
 *
 * @throws Fault for a requested or installed helper that cannot be used
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
