import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type CommandRunner, linuxMountTable, linuxSysTree, type MountTable, type SysTree } from "@daos/sys";
import type { BdevBackend, BdevCallOptions, BdevScanOptions } from "./bdev-backend.ts";
import {
  type BdevPrepareOptions,
  type BdevPrepareResult,
  BdevPreparer,
  type BdevResetOptions,
} from "./bdev-preparer.ts";
import type { BdevStorage, NvmeController } from "./bdev-types.ts";
import { type BurnInVerdict, DEFAULT_BURN_IN_MS } from "./burn-in.ts";
import { type ControllerCache, inProcessCache } from "./controller-cache.ts";
import { DeviceUses } from "./device-use.ts";
import { type DriverJournal, inProcessJournal } from "./driver-journal.ts";
import { faultBurnInUnsupported, faultInUse, faultMissingDevices } from "./faults.ts";
import type { HealthHistory } from "./health-history.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { parsePciAddress } from "./pci-address.ts";
import { PciDrivers } from "./pci-drivers.ts";
import { type DeviceProgress, progressMeter } from "./progress-meter.ts";

/** The result of the format of one device: success unless `fault` is set. */
export interface BdevFormatResult {
  /** As the configuration names it. */
  readonly device: string;
  readonly fault?: Fault;
}

export interface BdevFormatOptions extends BdevCallOptions {
  /** Erase what the controllers hold. Otherwise a controller that holds data is refused. */
  readonly reformat?: boolean | undefined;
  /** Called for each device when its progress changes, and at its end with fraction 1. */
  readonly onProgress?: ((progress: DeviceProgress) => void) | undefined;
}

export interface BdevBurnInOptions extends Omit<BdevFormatOptions, "reformat"> {
  /** Timeout for each device, ms; 15 minutes by default. */
  readonly durationMs?: number;
}

/** The result of the burn-in of one controller: a verdict, or the fault that prevented it. */
export type BdevBurnInResult =
  | { readonly device: string; readonly verdict: BurnInVerdict }
  | { readonly device: string; readonly fault: Fault };

export interface BdevProviderOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly sys?: SysTree;
  readonly mounts?: MountTable;
  /** The backends, preferred first; the kernel alone by default. */
  readonly backends?: readonly BdevBackend[];
  /** Keeps the identity of controllers for scans that cannot read it. */
  readonly cache?: ControllerCache;
  /** Keeps the former drivers of controllers. In memory by default: then they are lost with this process. */
  readonly journal?: DriverJournal;
  /** Receives the health of every scan. Without it no history is kept. */
  readonly history?: HealthHistory;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/**
 * The block devices of this host.
 *
 * @see DAOS 0.8.0 src/control/server/storage/bdev/provider.go
 */
export class BdevProvider {
  readonly #backends: readonly BdevBackend[];
  readonly #preparer: BdevPreparer;
  readonly #cache: ControllerCache;
  readonly #history: HealthHistory | undefined;
  readonly #now: () => number;
  readonly #log: Logger;
  /** The work under way on controllers, by address. */
  readonly #busy = new Map<string, string>();

  constructor(options: BdevProviderOptions) {
    const { runner, sys = linuxSysTree, mounts = linuxMountTable, journal = inProcessJournal() } = options;
    const log = options.log.child("bdev");
    const uses = new DeviceUses({ sys, mounts, runner, journal });
    const drivers = new PciDrivers({ sys, runner, journal });
    this.#backends = options.backends ?? [new KernelBackend({ runner, sys, mounts, uses, drivers, log })];
    this.#preparer = new BdevPreparer({ runner, sys, mounts, uses, drivers, journal, log });
    this.#cache = options.cache ?? inProcessCache();
    this.#history = options.history;
    this.#now = options.now ?? (() => performance.now());
    this.#log = log;
  }

  /**
   * Every NVMe controller, ordered by PCI address. A controller that cannot be read is described by its last known identity
   * and marked so.
   */
  async scan(options: BdevCallOptions = {}): Promise<readonly NvmeController[]> {
    const found = await this.#locate(options);
    const controllers = await this.#cache.complete([...found.values()].map(({ controller }) => controller));
    try {
      await this.#history?.record(controllers, new Date());
    } catch (error) {
      this.#log.warn("cannot store the health of this scan", { reason: String(error) });
    }
    return controllers.toSorted((a, b) => a.pciAddress.localeCompare(b.pciAddress, "en"));
  }

  /**
   * Checks before the start of an engine that every configured controller exists, and frees the hugepages of SPDK processes
   * that were killed. Classes other than `nvme` need neither.
   *
   * @throws Fault bdevMissingDevice with all missing addresses
   */
  async check(storage: BdevStorage, options: BdevCallOptions = {}): Promise<void> {
    if (storage.class !== "nvme" || storage.list.length === 0) return;
    await this.#recover(storage.list, options);
    const located = await this.#locate({ signal: options.signal, health: false });
    const found = [...located.keys()].sort();
    const missing = storage.list.filter((address) => !located.has(fullAddress(address)));
    if (missing.length > 0) throw faultMissingDevices(missing, found);
    await this.#preparer.removeDeadFiles();
    const kernels = storage.list.filter(
      (address) => located.get(fullAddress(address))?.controller.driver === "nvme",
    );
    if (kernels.length > 0) {
      this.#log.warn(
        "the kernel drives NVMe controllers of this engine, which SPDK cannot use then: daos-server storage prepare --nvme-only",
        { pciAddresses: kernels.join(", ") },
      );
    }
  }

  /**
   * Checks without a change which devices a format would refuse, and why: because something uses them, because they hold
   * data and `reformat` is not set, or because no engine can use them.
   *
   * @returns the refused devices only
   * @throws the signal's reason
   */
  async checkFormat(
    storage: BdevStorage,
    options: Pick<BdevFormatOptions, "signal" | "reformat"> = {},
  ): Promise<readonly BdevFormatResult[]> {
    options.signal?.throwIfAborted();
    if (storage.class !== "nvme" || storage.list.length === 0) return [];
    await this.#recover(storage.list, options);
    const found = await this.#locate({ signal: options.signal, health: false });
    const results = await this.#onEach(storage.list, options, async (device) => {
      const address = fullAddress(device);
      const backend = backendOf(address, device, found);
      await this.#alone(address, "format", () =>
        backend.checkWipe(address, { signal: options.signal, reformat: options.reformat }),
      );
    });
    return results.filter(({ fault }) => fault !== undefined);
  }

  /**
   * Formats the devices of an engine in parallel. A failure of one device is in its result and does not stop the others.
   * Classes other than `nvme` need no format and are reported as done.
   *
   * @throws the signal's reason
   */
  async format(storage: BdevStorage, options: BdevFormatOptions = {}): Promise<readonly BdevFormatResult[]> {
    options.signal?.throwIfAborted();
    switch (storage.class) {
      case "malloc":
        return [];
      case "kdev":
      case "file":
        return storage.list.map((device) => ({ device }));
      case "nvme": {
        await this.#recover(storage.list, options);
        const found = await this.#locate({ signal: options.signal, health: false });
        return this.#onEach(storage.list, options, (device) =>
          this.#formatController(device, found, options),
        );
      }
    }
  }

  /**
   * Writes and verifies empty controllers in parallel. An abort ends it early with the verdict `aborted`. A controller that
   * cannot be burnt in does not stop the others.
   *
   * @param devices PCI addresses
   */
  async burnIn(
    devices: readonly string[],
    options: BdevBurnInOptions = {},
  ): Promise<readonly BdevBurnInResult[]> {
    options.signal?.throwIfAborted();
    await this.#recover(devices, options);
    const found = await this.#locate({ signal: options.signal, health: false });
    return Promise.all(
      devices.map(async (device): Promise<BdevBurnInResult> => {
        try {
          return { device, verdict: await this.#burnInController(device, found, options) };
        } catch (error) {
          return { device, fault: toFault(error) };
        }
      }),
    );
  }

  /** Binds controllers to a user-space driver and reserves hugepages. @see BdevPreparer */
  async prepare(options: BdevPrepareOptions = {}): Promise<BdevPrepareResult> {
    // While the kernel drives the controllers, their identity can be read.
    await this.scan(options);
    return this.#preparer.prepare(options);
  }

  /** Undoes {@link prepare}. @see BdevPreparer */
  async reset(options: BdevResetOptions = {}): Promise<BdevPrepareResult> {
    return this.#preparer.reset(options);
  }

  /** Restores the controllers that killed processes have left. */
  #recover(devices: readonly string[], options: BdevCallOptions): Promise<void> {
    return this.#preparer.recover(devices.map(fullAddress), { signal: options.signal });
  }

  /** Works on all devices in parallel. */
  async #onEach(
    devices: readonly string[],
    { signal }: BdevCallOptions,
    work: (device: string) => Promise<void>,
  ): Promise<readonly BdevFormatResult[]> {
    const ended = await Promise.allSettled(devices.map(work));
    signal?.throwIfAborted();
    return devices.map((device, index) => {
      const end = ended[index];
      return end?.status === "rejected" ? { device, fault: toFault(end.reason) } : { device };
    });
  }

  async #formatController(
    device: string,
    found: ReadonlyMap<string, Located>,
    options: BdevFormatOptions,
  ): Promise<void> {
    const address = fullAddress(device);
    const backend = backendOf(address, device, found);
    const meter = progressMeter(device, this.#now);
    await this.#alone(address, "format", async () => {
      options.onProgress?.(meter("format", 0));
      await backend.wipe(address, {
        signal: options.signal,
        reformat: options.reformat,
        onProgress: ({ step, fraction }) => options.onProgress?.(meter(step, fraction)),
      });
    });
    const end = meter("done", 1);
    options.onProgress?.(end);
    this.#log.info("controller formatted", { pciAddress: address, milliseconds: end.elapsedMs });
  }

  async #burnInController(
    device: string,
    found: ReadonlyMap<string, Located>,
    options: BdevBurnInOptions,
  ): Promise<BurnInVerdict> {
    const address = fullAddress(device);
    const backend = backendOf(address, device, found);
    if (backend.burnIn === undefined) throw faultBurnInUnsupported(address, backend.name);
    const meter = progressMeter(device, this.#now);
    const work = backend.burnIn.bind(backend);
    const verdict = await this.#alone(address, "burn in", () => {
      options.onProgress?.(meter("write", 0));
      return work(address, {
        signal: options.signal,
        durationMs: options.durationMs ?? DEFAULT_BURN_IN_MS,
        now: this.#now,
        onProgress: (fraction) => options.onProgress?.(meter("write", fraction)),
      });
    });
    options.onProgress?.(meter(verdict.kind, 1));
    this.#log.info("controller burnt in", { pciAddress: address, verdict: verdict.kind });
    return verdict;
  }

  /** Two operations on one controller would corrupt each other. @throws Fault bdevInUse */
  async #alone<T>(address: string, verb: "format" | "burn in", work: () => Promise<T>): Promise<T> {
    const other = this.#busy.get(address);
    if (other !== undefined) throw faultInUse(`${verb} the NVMe controller ${address}`, other);
    this.#busy.set(address, verb === "format" ? "it is being formatted" : "it is being burnt in");
    try {
      return await work();
    } finally {
      this.#busy.delete(address);
    }
  }

  /** A backend that fails does not hide the controllers of the others. If all fail, the scan fails. */
  async #scanBackend(backend: BdevBackend, options: BdevScanOptions): Promise<readonly NvmeController[]> {
    try {
      return await backend.scan({ signal: options.signal, health: options.health ?? true });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (backend === this.#backends.at(-1)) throw error;
      this.#log.warn(`${backend.name} is left out of the scan`, { reason: toFault(error).message });
      return [];
    }
  }

  /** Each controller with the first backend that can read it, else the first that sees it. */
  async #locate(options: BdevScanOptions): Promise<ReadonlyMap<string, Located>> {
    const found = new Map<string, Located>();
    for (const backend of this.#backends) {
      for (const controller of await this.#scanBackend(backend, options)) {
        const before = found.get(controller.pciAddress)?.controller;
        if (before === undefined || (before.source === "pci" && controller.source !== "pci")) {
          found.set(controller.pciAddress, { backend, controller });
        } else if (before.source === "spdk") {
          // An SPDK target does not report the place of a controller on the bus.
          const { numaNode, driver, pciId } = controller;
          const known = found.get(controller.pciAddress)?.backend ?? backend;
          found.set(controller.pciAddress, {
            backend: known,
            controller: { ...before, numaNode, driver, pciId },
          });
        }
      }
    }
    return found;
  }
}

function fullAddress(device: string): string {
  return parsePciAddress(device) ?? device;
}

function backendOf(address: string, device: string, found: ReadonlyMap<string, Located>): BdevBackend {
  const backend = found.get(address)?.backend;
  if (backend === undefined) throw faultMissingDevices([device], [...found.keys()]);
  return backend;
}

interface Located {
  readonly backend: BdevBackend;
  readonly controller: NvmeController;
}
