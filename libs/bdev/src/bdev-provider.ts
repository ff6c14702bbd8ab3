import type { Fault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type CommandRunner, linuxSysTree, type SysTree } from "@daos/sys";
import type { BdevBackend, BdevCallOptions } from "./bdev-backend.ts";
import type { BdevStorage, NvmeController } from "./bdev-types.ts";
import { faultFormatFailed, faultMissingDevices } from "./faults.ts";
import { KernelBackend } from "./kernel-backend.ts";
import { parsePciAddress } from "./pci-address.ts";

/** How the format of one device ended: well, unless there is a fault. */
export interface BdevFormatResult {
  /** As the configuration names it. */
  readonly device: string;
  readonly fault?: Fault;
}

export interface BdevProviderOptions {
  readonly runner: CommandRunner;
  readonly log: Logger;
  /** The kernel's by default. */
  readonly sys?: SysTree;
  /** Those that know controllers, best first; the kernel alone by default. */
  readonly backends?: readonly BdevBackend[];
}

/**
 * The block devices of this host.
 *
 * @see DAOS 0.8.0 src/control/server/storage/bdev/provider.go
 */
export class BdevProvider {
  readonly #backends: readonly BdevBackend[];

  constructor(options: BdevProviderOptions) {
    const { runner, sys = linuxSysTree } = options;
    const log = options.log.child("bdev");
    this.#backends = options.backends ?? [new KernelBackend({ runner, sys, log })];
  }

  /** Every NVMe controller, in the order of the PCI addresses. A machine without any has an empty list. */
  async scan(options: BdevCallOptions = {}): Promise<readonly NvmeController[]> {
    const found = new Map<string, NvmeController>();
    for (const backend of this.#backends) {
      for (const controller of await backend.scan(options)) {
        if (!found.has(controller.pciAddress)) found.set(controller.pciAddress, controller);
      }
    }
    return [...found.values()].sort((a, b) => a.pciAddress.localeCompare(b.pciAddress, "en"));
  }

  /**
   * Checks that every configured controller is there; other classes than `nvme` have nothing to check.
   *
   * @throws Fault bdevMissingDevice with all missing addresses
   */
  async check(storage: BdevStorage, options: BdevCallOptions = {}): Promise<void> {
    if (storage.class !== "nvme" || storage.list.length === 0) return;
    const found = (await this.scan(options)).map(({ pciAddress }) => pciAddress);
    const missing = storage.list.filter((address) => !found.includes(parsePciAddress(address) ?? address));
    if (missing.length > 0) throw faultMissingDevices(missing, found);
  }

  /** Formats the devices of an engine; a failure of one is in its result and does not stop the others. */
  async format(storage: BdevStorage, options: BdevCallOptions = {}): Promise<readonly BdevFormatResult[]> {
    options.signal?.throwIfAborted();
    switch (storage.class) {
      case "malloc":
        return [];
      case "kdev":
      case "file":
        return storage.list.map((device) => ({ device }));
      case "nvme": {
        const found = (await this.scan(options)).map(({ pciAddress }) => pciAddress);
        return storage.list.map((device) =>
          found.includes(parsePciAddress(device) ?? device)
            ? { device, fault: faultFormatFailed(device, "no backend can wipe it") }
            : { device, fault: faultMissingDevices([device], found) },
        );
      }
    }
  }
}
