import { chown } from "node:fs/promises";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type CommandRunner, exists, type MountTable, type Owner, type SysTree } from "@daos/sys";
import type { NodeHugepages } from "./bdev-types.ts";
import { whyNotOffered, whyParked, whyUnusable } from "./device-limits.ts";
import type { DeviceUses } from "./device-use.ts";
import type { DriverJournal } from "./driver-journal.ts";
import { faultNotPrivileged } from "./faults.ts";
import { Hugepages } from "./hugepages.ts";
import { Hugetlbfs, type HugetlbfsFiles } from "./hugetlbfs.ts";
import { type PciCallOptions, type PciDrivers, USER_DRIVERS } from "./pci-drivers.ts";
import { type ControllerSelection, isNamed, whyNotSelected } from "./select-controllers.ts";
import { removeDeadSpdkFiles, type SpdkFileSystem } from "./spdk-files.ts";
import { userSpaceNodes } from "./user-space-nodes.ts";

/** The result for one controller. */
export type ControllerOutcome =
  | {
      readonly kind: "bound";
      readonly pciAddress: string;
      readonly driver: string;
      /** Its contents, `nvme0n1 holds ext4`; a format erases them. */
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
}

export interface BdevPreparerOptions {
  readonly sys: SysTree;
  readonly runner: CommandRunner;
  readonly mounts: MountTable;
  readonly log: Logger;
  readonly drivers: PciDrivers;
  readonly uses: DeviceUses;
  readonly journal: Pick<DriverJournal, "readHugepages" | "writeHugepages">;
  readonly files?: PreparerFiles;
  readonly spdkFiles?: SpdkFileSystem;
  readonly hugetlbfsFiles?: HugetlbfsFiles;
}

export const DEFAULT_HUGEPAGES = 1024;
const PCI_DEVICES = "/sys/bus/pci/devices";

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
    this.#hugepages = new Hugepages(options.sys, options.journal);
    this.#log = options.log;
    this.#hugetlbfs = new Hugetlbfs({ ...options, files: options.hugetlbfsFiles });
  }

  /**
   * Reserves hugepages, and binds the selected unused controllers to vfio-pci, or to uio_pci_generic without an IOMMU. A
   * controller that has this driver keeps it. A failure of one controller does not stop the others.
   *
   * @throws Fault storageNotPrivileged, bdevHugepagesShort and bdevInUse (before any controller is bound)
   */
  async prepare(options: BdevPrepareOptions): Promise<BdevPrepareResult> {
    const { hugepages: pages, owner } = options;
    await this.#mayPrepare("prepare NVMe controllers");
    const addresses = await this.#addresses();
    await this.recover(addresses, options);
    await this.#tidyHugetlbfs(addresses, options);
    const hugepages = await this.#hugepages.reserve(pages ?? DEFAULT_HUGEPAGES, {
      shrink: pages !== undefined,
    });
    await this.#hugetlbfs.mount(owner, options);
    const driver = await this.#options.drivers.userDriver();
    const controllers: ControllerOutcome[] = [];
    const unready = await this.#unready(addresses, options);
    const taken = new Map<string, string>();
    for (const address of addresses) {
      options.signal?.throwIfAborted();
      const outcome = await this.#outcome(address, options, async () => {
        const reason =
          whyNotSelected(address, options) ??
          (await this.#whyNotTaken(address, taken, options)) ??
          unready.get(address);
        if (reason !== undefined) return { kind: "skipped", pciAddress: address, reason };
        const contents = await this.#contents(address, options);
        const namespaceIds = await this.#options.uses.namespaceIds(address);
        await this.#options.drivers.take(address, driver, { ...options, namespaceIds });
        for (const id of namespaceIds) taken.set(id, address);
        const bound = { kind: "bound", pciAddress: address, driver } as const;
        return contents === undefined ? bound : { ...bound, contents };
      });
      controllers.push(outcome);
    }
    return { controllers: await this.#handOverAll(controllers, options), hugepages };
  }

  /** Gives the nodes of all bound controllers to the owner. udev is awaited once: it may be busy. */
  async #handOverAll(
    controllers: readonly ControllerOutcome[],
    { owner, ...options }: BdevPrepareOptions,
  ): Promise<readonly ControllerOutcome[]> {
    if (owner === undefined || !controllers.some(({ kind }) => kind === "bound")) return controllers;
    await this.#options.drivers.settle(options);
    const handedOver: ControllerOutcome[] = [];
    for (const outcome of controllers) {
      const { kind, pciAddress } = outcome;
      try {
        if (kind === "bound") await this.#handOver(pciAddress, owner);
        handedOver.push(outcome);
      } catch (error) {
        const fault = toFault(error);
        this.#log.error("controller not given to its owner", { pciAddress, reason: fault.message });
        handedOver.push({ kind: "failed", pciAddress, fault });
      }
    }
    return handedOver;
  }

  /** Why selected controllers are not ready. All are awaited at the same time. */
  async #unready(
    addresses: readonly string[],
    options: BdevPrepareOptions,
  ): Promise<ReadonlyMap<string, string>> {
    const found = await Promise.all(
      addresses.map(async (address): Promise<readonly [string, string][]> => {
        if (whyNotSelected(address, options) !== undefined) return [];
        const reason = await this.#options.drivers.whyNotReady(address, options);
        return reason === undefined ? [] : [[address, reason]];
      }),
    );
    return new Map(found.flat());
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
   * Returns every selected controller that no process drives to the driver that it had, by default the kernel's, and frees
   * the hugepages that prepare has added. Others are left alone: a virtual machine may own them.
   *
   * @throws Fault storageNotPrivileged
   */
  async reset(options: BdevResetOptions = {}): Promise<BdevPrepareResult> {
    await this.#mayPrepare("reset NVMe controllers");
    const addresses = await this.#addresses();
    await this.recover(addresses, options);
    const controllers: ControllerOutcome[] = [];
    for (const address of addresses) {
      options.signal?.throwIfAborted();
      const outcome = await this.#outcome(address, options, async () => {
        const reason = await this.#whyNotGivenBack(address, options);
        if (reason !== undefined) return { kind: "skipped", pciAddress: address, reason };
        const driver = await this.#options.drivers.giveBack(address, options);
        return driver === undefined
          ? { kind: "skipped", pciAddress: address, reason: "it has no driver again, as before" }
          : { kind: "bound", pciAddress: address, driver };
      });
      controllers.push(outcome);
    }
    await this.#tidyHugetlbfs(addresses, options);
    return { controllers, hugepages: await this.#hugepages.free() };
  }

  /**
   * Restores the drivers of controllers that a killed process has left. A process without privileges does nothing.
   *
   * @throws the signal's reason
   */
  async recover(addresses: readonly string[], options: PciCallOptions): Promise<void> {
    if (!(await this.#options.mounts.mayMount())) return;
    for (const address of addresses) {
      options.signal?.throwIfAborted();
      try {
        if (!(await this.#options.drivers.isChanged(address))) continue;
        // A controller that is in use by now is left alone.
        if ((await this.#options.uses.find(address)) !== undefined) continue;
        if (await this.#options.drivers.recover(address, options))
          this.#log.warn("an earlier process was killed: the controller has its former driver again", {
            pciAddress: address,
          });
      } catch (error) {
        options.signal?.throwIfAborted();
        this.#log.warn("the controller's former driver is not restored", {
          pciAddress: address,
          reason: toFault(error).message,
        });
      }
    }
  }

  async #mayPrepare(attempted: string): Promise<void> {
    if (!(await this.#options.mounts.mayMount())) throw faultNotPrivileged(attempted);
  }

  async #whyNotGivenBack(address: string, options: BdevResetOptions): Promise<string | undefined> {
    const driver = await this.#options.drivers.driverOf(address);
    if (driver !== undefined && !USER_DRIVERS.includes(driver)) return `${driver} has it already`;
    const notSelected = whyNotSelected(address, options);
    if (notSelected !== undefined) return notSelected;
    if (driver === undefined && !(await this.#options.drivers.isChanged(address)))
      return "it has no driver, and prepare has not taken it from one";
    return this.#options.uses.find(address);
  }

  /** A process that drives a controller, selected or not, has its memory in these files. */
  async #tidyHugetlbfs(addresses: readonly string[], options: PciCallOptions): Promise<void> {
    for (const address of addresses) {
      const driver = await this.#options.drivers.driverOf(address);
      if (driver !== undefined && !USER_DRIVERS.includes(driver)) continue;
      if ((await this.#options.uses.find(address)) !== undefined) return;
    }
    await this.removeDeadFiles({ groups: true });
    await this.#hugetlbfs.unmount(options);
  }

  /**
   * Removes what SPDK processes that have ended left in the hugetlbfs where engines look.
   *
   * @param options.groups also files that do not show their process
   */
  async removeDeadFiles(options: { readonly groups?: boolean } = {}): Promise<void> {
    const { sys, spdkFiles } = this.#options;
    const places = await this.#hugetlbfs.places();
    const removed = await removeDeadSpdkFiles(places, { sys, files: spdkFiles, ...options });
    if (removed.length > 0)
      this.#log.info("hugepages of SPDK processes that have ended are free again", { removed });
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

  /** @param taken the controllers that were taken before it, by the identities of their namespaces */
  async #whyNotTaken(
    address: string,
    taken: ReadonlyMap<string, string>,
    selection: ControllerSelection,
  ): Promise<string | undefined> {
    const { sys, uses, drivers } = this.#options;
    const use = await uses.find(address);
    if (use !== undefined) return use;
    const limit =
      (await whyParked(sys, address)) ?? (await whyUnusable(sys, address, await uses.blockDevices(address)));
    if (limit !== undefined) return limit;
    if (!isNamed(address, selection)) {
      const reason = await whyNotOffered(sys, address);
      if (reason !== undefined) return `${reason}, and neither the whitelist nor bdev_include names it`;
    }
    const [other] = (await uses.namespaceIds(address)).flatMap((id) => taken.get(id) ?? []);
    if (other !== undefined) return `it is another path to the device of ${other}`;
    const peers = await drivers.groupUsers(address);
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
  exists,
  chown: (path, { uid, gid }) => chown(path, uid, gid),
};
