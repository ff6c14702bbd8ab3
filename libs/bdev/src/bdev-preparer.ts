import { chown, readdir, rm, stat } from "node:fs/promises";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type CommandRunner, hasErrorCode, type MountTable, type Owner, type SysTree } from "@daos/sys";
import { type DeviceUses, userSpaceNodes } from "./device-use.ts";
import { faultNotPrivileged } from "./faults.ts";
import { Hugepages, type NodeHugepages } from "./hugepages.ts";
import { HUGETLBFS, Hugetlbfs, type HugetlbfsFiles } from "./hugetlbfs.ts";
import { type PciCallOptions, type PciDrivers, USER_DRIVERS } from "./pci-drivers.ts";
import { type ControllerSelection, whyNotSelected } from "./select-controllers.ts";

/** The result for one controller. */
export type ControllerOutcome =
  | {
      readonly kind: "bound";
      readonly pciAddress: string;
      readonly driver: string;
      /** What it holds, `nvme0n1 holds ext4`: a format erases it. */
      readonly contents?: string | undefined;
    }
  /** It is left unchanged, for this reason. */
  | { readonly kind: "skipped"; readonly pciAddress: string; readonly reason: string }
  | { readonly kind: "failed"; readonly pciAddress: string; readonly fault: Fault };

export interface BdevPrepareOptions extends PciCallOptions, ControllerSelection {
  /** Hugepages of 2 MiB for the whole host, divided over its NUMA nodes; 1024 by default. A larger existing number is kept. */
  readonly hugepages?: number | undefined;
  /** The user whose processes drive the controllers; root by default. */
  readonly owner?: Owner | undefined;
}

/** Controllers that are not selected keep their driver. */
export interface BdevResetOptions extends PciCallOptions, ControllerSelection {}

export interface BdevPrepareResult {
  readonly controllers: readonly ControllerOutcome[];
  readonly hugepages: readonly NodeHugepages[];
}

/** The file operations of the preparer. */
export interface PreparerFiles {
  exists(path: string): Promise<boolean>;
  chown(path: string, owner: Owner): Promise<void>;
  /** Removes the files in a directory whose names match, except those for which `keep` is true. */
  removeFiles(directory: string, names: RegExp, keep: (name: string) => Promise<boolean>): Promise<void>;
}

export interface BdevPreparerOptions {
  readonly sys: SysTree;
  readonly runner: CommandRunner;
  readonly mounts: MountTable;
  readonly log: Logger;
  readonly drivers: PciDrivers;
  readonly uses: DeviceUses;
  readonly files?: PreparerFiles;
  readonly hugetlbfsFiles?: HugetlbfsFiles;
}

export const DEFAULT_HUGEPAGES = 1024;
const PCI_DEVICES = "/sys/bus/pci/devices";
/** What SPDK leaves behind in the hugetlbfs when it is killed, `spdk_pid4711map_0`. */
const SPDK_FILES = /^spdk.*map_\d+$/;

/**
 * Makes controllers usable from user space, and undoes it, as SPDK's `setup.sh` does for release 0.8.0.
 *
 * @see DAOS 0.8.0 src/control/server/storage/bdev/runner.go
 */
export class BdevPreparer {
  readonly #options: BdevPreparerOptions;
  readonly #files: PreparerFiles;
  readonly #hugepages: Hugepages;
  readonly #hugetlbfs: Hugetlbfs;
  readonly #log: Logger;

  constructor(options: BdevPreparerOptions) {
    this.#options = options;
    this.#files = options.files ?? linuxFiles;
    this.#hugepages = new Hugepages(options.sys);
    this.#log = options.log;
    this.#hugetlbfs = new Hugetlbfs({ ...options, files: options.hugetlbfsFiles });
  }

  /**
   * Returns controllers to the kernel, reserves hugepages, and binds the selected unused controllers to vfio-pci, or to
   * uio_pci_generic without an IOMMU. A failure of one controller does not stop the others.
   *
   * @throws Fault storageNotPrivileged, bdevHugepagesShort and bdevInUse (before any controller is bound)
   */
  async prepare(options: BdevPrepareOptions): Promise<BdevPrepareResult> {
    const { hugepages: pages, owner, signal, whitelist, include, exclude } = options;
    await this.#giveBack({ signal, whitelist, include, exclude, attempted: "prepare NVMe controllers" });
    const hugepages = await this.#hugepages.reserve(pages ?? DEFAULT_HUGEPAGES, {
      shrink: pages !== undefined,
    });
    await this.#hugetlbfs.mount(owner, options);
    const driver = await this.#options.drivers.userDriver();
    const controllers: ControllerOutcome[] = [];
    for (const address of await this.#addresses()) {
      options.signal?.throwIfAborted();
      const outcome = await this.#outcome(address, options, async () => {
        const reason = whyNotSelected(address, options) ?? (await this.#whyNotFree(address));
        if (reason !== undefined) return { kind: "skipped", pciAddress: address, reason };
        const contents = await this.#contents(address, options);
        await this.#options.drivers.bind(address, driver, options);
        if (owner !== undefined) await this.#handOver(address, owner);
        const bound = { kind: "bound", pciAddress: address, driver } as const;
        return contents === undefined ? bound : { ...bound, contents };
      });
      controllers.push(outcome);
    }
    return { controllers, hugepages };
  }

  /** A bind destroys nothing, so contents that cannot be read do not prevent it. */
  async #contents(address: string, options: PciCallOptions): Promise<string | undefined> {
    try {
      return await this.#options.uses.contents(address, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      this.#log.debug("contents unknown", { pciAddress: address, reason: toFault(error).message });
      return undefined;
    }
  }

  /**
   * Returns every selected controller that no process drives to the kernel's driver, and frees the hugepages. Others are
   * left alone: a virtual machine may own them.
   *
   * @throws Fault storageNotPrivileged
   */
  async reset(options: BdevResetOptions = {}): Promise<BdevPrepareResult> {
    const controllers = await this.#giveBack({ ...options, attempted: "reset NVMe controllers" });
    return { controllers, hugepages: await this.#hugepages.free() };
  }

  async #giveBack(
    options: BdevResetOptions & { readonly attempted: string },
  ): Promise<readonly ControllerOutcome[]> {
    if (!(await this.#options.mounts.mayMount())) throw faultNotPrivileged(options.attempted);
    const controllers: ControllerOutcome[] = [];
    let driven = false;
    for (const address of await this.#addresses()) {
      options.signal?.throwIfAborted();
      const driver = await this.#options.drivers.driverOf(address);
      if (driver !== undefined && !USER_DRIVERS.includes(driver)) {
        controllers.push({ kind: "skipped", pciAddress: address, reason: `${driver} has it already` });
        continue;
      }
      const notOurs = whyNotSelected(address, options);
      if (notOurs !== undefined) {
        // Its process may have its memory in the hugetlbfs, too.
        driven ||= (await this.#options.uses.find(address)) !== undefined;
        controllers.push({ kind: "skipped", pciAddress: address, reason: notOurs });
        continue;
      }
      const outcome = await this.#outcome(address, options, async () => {
        const reason = await this.#options.uses.find(address);
        if (reason !== undefined) {
          driven = true;
          return { kind: "skipped", pciAddress: address, reason };
        }
        await this.#options.drivers.release(address, options);
        return { kind: "bound", pciAddress: address, driver: "nvme" };
      });
      controllers.push(outcome);
    }
    // A process that drives a controller has its memory in these files.
    if (!driven) {
      await this.#files.removeFiles(HUGETLBFS, SPDK_FILES, (name) => this.#isAlive(name));
      await this.#hugetlbfs.unmount(options);
    }
    return controllers;
  }

  /** A process that drives no PCI controller can also have its memory in these files. */
  async #isAlive(file: string): Promise<boolean> {
    const [, pid] = /^spdk_pid(\d+)map_/.exec(file) ?? [];
    return pid !== undefined && (await this.#options.sys.read(`/proc/${pid}/stat`)) !== undefined;
  }

  async #addresses(): Promise<readonly string[]> {
    const { sys } = this.#options;
    const addresses: string[] = [];
    for (const address of await sys.list(PCI_DEVICES)) {
      if ((await sys.read(`${PCI_DEVICES}/${address}/class`))?.startsWith("0x0108") === true) {
        addresses.push(address);
      }
    }
    return addresses;
  }

  async #whyNotFree(address: string): Promise<string | undefined> {
    const use = await this.#options.uses.find(address);
    if (use !== undefined) return use;
    const peers = await this.#options.drivers.groupUsers(address);
    return peers.length === 0 ? undefined : `its IOMMU group is shared with ${peers.join(", ")}`;
  }

  async #outcome(
    address: string,
    options: PciCallOptions,
    work: () => Promise<ControllerOutcome>,
  ): Promise<ControllerOutcome> {
    try {
      const outcome = await work();
      this.#log.info(`controller ${outcome.kind}`, { ...outcome });
      return outcome;
    } catch (error) {
      options.signal?.throwIfAborted();
      const fault = toFault(error);
      this.#log.error("controller not bound", { pciAddress: address, reason: fault.message });
      return { kind: "failed", pciAddress: address, fault };
    }
  }

  /** The device node of the driver and, with uio, the files that map the device's memory. */
  async #handOver(address: string, owner: Owner): Promise<void> {
    const { sys } = this.#options;
    const nodes = [...(await userSpaceNodes(sys, address))];
    if ((await this.#options.drivers.driverOf(address)) !== "vfio-pci") {
      const device = `${PCI_DEVICES}/${address}`;
      for (const name of await sys.list(device)) {
        if (/^(config|resource\d+)$/.test(name)) nodes.push(`${device}/${name}`);
      }
    }
    for (const node of nodes) if (await this.#files.exists(node)) await this.#files.chown(node, owner);
  }
}

const linuxFiles: PreparerFiles = {
  exists: async (path) => {
    try {
      await stat(path);
      return true;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return false;
      throw error;
    }
  },
  chown: (path, { uid, gid }) => chown(path, uid, gid),
  removeFiles: async (directory, names, keep) => {
    let entries: readonly string[];
    try {
      entries = await readdir(directory);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return;
      throw error;
    }
    for (const name of entries) {
      if (names.test(name) && !(await keep(name))) await rm(`${directory}/${name}`, { force: true });
    }
  },
};
