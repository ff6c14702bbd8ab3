import { basename } from "node:path";
import { Fault } from "@daos/fault";
import { type CommandRunner, delay, hasErrorCode, type SysTree } from "@daos/sys";
import { faultBindFailed, faultVanished } from "./faults.ts";

const PCI = "/sys/bus/pci";
const POLL_MS = 50;
/** Timeout for a controller to become ready after it was bound to the kernel's driver, with a slow reset. */
const READY_MS = 60_000;
/** Timeout for namespaces, which appear after the controller, ms. */
const NAMESPACES_MS = 2_000;

/** The user-space drivers. */
export const USER_DRIVERS: readonly string[] = ["vfio-pci", "uio_pci_generic", "igb_uio"];

export interface PciCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PciDriversOptions {
  readonly sys: SysTree;
  readonly runner: CommandRunner;
  /** Real time by default. */
  readonly wait?: (ms: number, options: PciCallOptions) => Promise<void>;
}

/**
 * Reads and changes the driver of a PCI device through sysfs.
 *
 * @see Linux Documentation/ABI/testing/sysfs-bus-pci (driver_override, unbind, drivers_probe)
 */
export class PciDrivers {
  readonly #sys: SysTree;
  readonly #runner: CommandRunner;
  readonly #wait: (ms: number, options: PciCallOptions) => Promise<void>;

  constructor(options: PciDriversOptions) {
    this.#sys = options.sys;
    this.#runner = options.runner;
    this.#wait = options.wait ?? delay;
  }

  /** `nvme`, `vfio-pci`, ...; undefined for none. */
  async driverOf(address: string): Promise<string | undefined> {
    const driver = await this.#sys.resolve(`${PCI}/devices/${address}/driver`);
    return driver === undefined ? undefined : basename(driver);
  }

  /** The user-space driver for this machine: vfio-pci with an IOMMU, which protects memory, else uio_pci_generic. */
  async userDriver(): Promise<string> {
    const groups = await this.#sys.list("/sys/kernel/iommu_groups");
    return groups.length > 0 ? "vfio-pci" : "uio_pci_generic";
  }

  /** Other devices of the IOMMU group that have a kernel driver. vfio-pci needs all devices of a group. */
  async groupUsers(address: string): Promise<readonly string[]> {
    const group = await this.#sys.resolve(`${PCI}/devices/${address}/iommu_group`);
    if (group === undefined) return [];
    const users: string[] = [];
    for (const peer of await this.#sys.list(`${group}/devices`)) {
      if (peer === address) continue;
      const driver = await this.driverOf(peer);
      // Bridges may stay with their driver.
      if (driver !== undefined && driver !== "pcieport" && !USER_DRIVERS.includes(driver)) {
        users.push(`${peer} (${driver})`);
      }
    }
    return users;
  }

  /** Loads the kernel module of a driver if it is not loaded. @throws Fault bdevBindFailed */
  async load(driver: string, address: string, options: PciCallOptions): Promise<void> {
    if ((await this.#sys.resolve(`${PCI}/drivers/${driver}`)) !== undefined) return;
    let reason: string;
    try {
      const { exitCode, stderr } = await this.#runner.run(["modprobe", driver], { signal: options.signal });
      if (exitCode === 0) return;
      reason = stderr.trim();
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
      reason = "modprobe is not installed";
    }
    throw faultBindFailed(address, driver, reason);
  }

  /**
   * Binds a device to a driver. If that fails, the device returns to its default driver.
   *
   * @throws Fault bdevBindFailed, bdevVanished
   */
  async bind(address: string, driver: string, options: PciCallOptions = {}): Promise<void> {
    await this.load(driver, address, options);
    if ((await this.driverOf(address)) === driver) return;
    try {
      await this.#move(address, driver);
      const now = await this.driverOf(address);
      if (now !== driver) throw new Error(`it is bound to ${now ?? "no driver"} afterwards`);
    } catch (error) {
      const fault = await this.#faultOf(error, address, driver);
      // The first failure is the one to report.
      await this.#move(address, undefined).catch(() => {});
      throw fault;
    }
  }

  /**
   * Returns a device to the kernel's default driver, and waits until its controller is ready.
   *
   * @throws Fault bdevBindFailed, bdevVanished
   */
  async release(address: string, options: PciCallOptions = {}): Promise<void> {
    try {
      await this.load("nvme", address, options);
      await this.#move(address, undefined);
      await this.#ready(address, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw await this.#faultOf(error, address, "nvme");
    }
  }

  /** driver_override names the only driver that may bind the device. A line break clears it. */
  async #move(address: string, driver: string | undefined): Promise<void> {
    const device = `${PCI}/devices/${address}`;
    await this.#sys.write(`${device}/driver_override`, driver ?? "\n");
    if ((await this.driverOf(address)) !== undefined) {
      await this.#sys.write(`${device}/driver/unbind`, address);
    }
    await this.#sys.write(`${PCI}/drivers_probe`, address);
  }

  async #ready(address: string, options: PciCallOptions): Promise<void> {
    const device = `${PCI}/devices/${address}`;
    for (let waited = 0; ; waited += POLL_MS) {
      const [name] = await this.#sys.list(`${device}/nvme`);
      const state = name === undefined ? undefined : await this.#sys.read(`${device}/nvme/${name}/state`);
      if (name !== undefined && state === "live") {
        const names = await this.#sys.list(`${device}/nvme/${name}`);
        if (names.some((entry) => /^nvme\d+(c\d+)?n\d+$/.test(entry)) || waited >= NAMESPACES_MS) return;
      }
      if (waited >= READY_MS) {
        throw new Error(`the controller is ${state ?? "not there"} after ${READY_MS / 1000} s`);
      }
      await this.#wait(POLL_MS, options);
    }
  }

  async #faultOf(error: unknown, address: string, driver: string): Promise<Fault> {
    if ((await this.#sys.read(`${PCI}/devices/${address}/class`)) === undefined) {
      return faultVanished(`bind the NVMe controller ${address} to ${driver}`);
    }
    if (error instanceof Fault) return error;
    return faultBindFailed(address, driver, error instanceof Error ? error.message : String(error));
  }
}
