import { chown, stat } from "node:fs/promises";
import { basename } from "node:path";
import { errorText, Fault } from "@daos/fault";
import { type Argv, type CommandRunner, delay, hasErrorCode, type Owner, type SysTree } from "@daos/sys";
import {
  type DriverChange,
  type DriverJournal,
  type DriverRecord,
  inProcessJournal,
} from "./driver-journal.ts";
import { faultBindFailed, faultVanished } from "./faults.ts";
import { describeEnd, toolFault } from "./tool-answer.ts";
import { userSpaceNodes } from "./user-space-nodes.ts";

const PCI = "/sys/bus/pci";
const POLL_MS = 50;
/** Timeout for a controller to become ready after it was bound to the kernel's driver, with a slow reset. */
const READY_MS = 60_000;
/** Timeout for the kernel's driver to take a controller at all: of some virtual functions it takes none. */
const TAKEN_MS = 5_000;
/** Timeout for namespaces, which appear after the controller, ms. */
const NAMESPACES_MS = 2_000;

/** Timeout for a controller that the kernel is just bringing up or resetting, ms. */
const SETTLED_MS = 10_000;

/** Timeout for udev, which may be busy with other devices, s. */
const UDEV_SECONDS = 10;

/** The user-space drivers. */
export const USER_DRIVERS: readonly string[] = ["vfio-pci", "uio_pci_generic", "igb_uio"];

/** The text of driver_override when it is not set. */
const NO_OVERRIDE = "(null)";

/** The controllers that this process has borrowed. */
const BORROWED = new Set<string>();

interface FormerDriver {
  readonly driver: string | undefined;
  readonly override: string;
}

export interface PciCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PciDriversOptions {
  readonly sys: SysTree;
  readonly runner: CommandRunner;
  /** In memory by default. */
  readonly journal?: DriverJournal | undefined;
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
  readonly #journal: DriverJournal;

  constructor(options: PciDriversOptions) {
    this.#sys = options.sys;
    this.#runner = options.runner;
    this.#wait = options.wait ?? delay;
    this.#journal = options.journal ?? inProcessJournal();
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

  /**
   * Waits until udev has handled new device nodes. It sets their owner and mode a moment after the kernel has made them, and
   * would undo an earlier chown. Without udev, as in a container, there is nothing to wait for.
   */
  async settle(options: PciCallOptions = {}): Promise<void> {
    try {
      const argv: Argv = ["udevadm", "settle", `--timeout=${UDEV_SECONDS}`];
      await this.#runner.run(argv, { signal: options.signal, timeoutMs: 2 * UDEV_SECONDS * 1000 });
    } catch {
      options.signal?.throwIfAborted();
    }
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

  /**
   * Waits for a controller that the kernel's driver has just got or is resetting. Its namespaces appear one by one after it is
   * live: before that, nothing says what the device is.
   *
   * @returns why it cannot be used, `the kernel does not have it ready: its state is resetting`; undefined when it is ready,
   *   or when the kernel's driver does not have it
   */
  async whyNotReady(address: string, options: PciCallOptions = {}): Promise<string | undefined> {
    const device = `${PCI}/devices/${address}`;
    let before: readonly string[] = [];
    for (let waited = 0; ; waited += POLL_MS) {
      if ((await this.driverOf(address)) !== "nvme") return undefined;
      const [name] = await this.#sys.list(`${device}/nvme`);
      const state = name === undefined ? undefined : await this.#sys.read(`${device}/nvme/${name}/state`);
      if (state === undefined && waited >= NAMESPACES_MS) return undefined;
      if (state === "live") {
        const now = await this.#namespacesOf(`${device}/nvme/${name}`);
        if (waited >= NAMESPACES_MS || (now.length > 0 && now.length === before.length)) return undefined;
        before = now;
      } else if (state !== undefined && waited >= SETTLED_MS) {
        return `the kernel does not have it ready: its state is ${state}`;
      }
      await this.#wait(POLL_MS, options);
    }
  }

  async #namespacesOf(controller: string): Promise<readonly string[]> {
    return (await this.#sys.list(controller)).filter((entry) => /^nvme\d+(c\d+)?n\d+$/.test(entry));
  }

  /** Loads the kernel module of a driver if it is not loaded. @throws Fault bdevBindFailed */
  async load(driver: string, address: string, options: PciCallOptions): Promise<void> {
    if ((await this.#sys.resolve(`${PCI}/drivers/${driver}`)) !== undefined) return;
    let reason: string;
    try {
      const result = await this.#runner.run(["modprobe", driver], { signal: options.signal });
      if (result.exitCode === 0) return;
      reason =
        result.signal === null
          ? describeEnd(result)
          : (await toolFault(this.#runner, ["modprobe", driver], describeEnd(result))).message;
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
      reason = "modprobe is not installed";
    }
    throw faultBindFailed(address, driver, reason);
  }

  /**
   * Binds a controller to a user-space driver until {@link giveBack}. If that fails, it gets back the driver that it had.
   *
   * @throws Fault bdevBindFailed, bdevVanished
   */
  async take(
    address: string,
    driver: string,
    options: PciCallOptions & { readonly namespaceIds?: readonly string[] | undefined } = {},
  ): Promise<void> {
    const before = await this.#load(address, driver, options);
    if (before.driver === driver) return;
    const known = await this.#journal.read("prepared", address);
    // A controller with another user-space driver was prepared before, or by another program.
    if (known === undefined && (before.driver === undefined || !USER_DRIVERS.includes(before.driver)))
      await this.#record("prepared", address, { ...before, namespaceIds: options.namespaceIds });
    try {
      await this.#bind(address, driver);
    } catch (error) {
      const fault = await this.#faultOf(error, address, driver);
      // The first failure is the one to report.
      await this.#restore(address, before).catch(() => {});
      if (known === undefined) await this.#journal.remove("prepared", address);
      throw fault;
    }
  }

  /**
   * Gives a controller back: it has the driver again that it had before {@link take}, and the kernel's default driver if that
   * is not known.
   *
   * @returns the driver that it has then; undefined for none
   * @throws Fault bdevBindFailed, bdevVanished
   */
  async giveBack(address: string, options: PciCallOptions = {}): Promise<string | undefined> {
    const before = await this.#journal.read("prepared", address);
    if (before !== undefined && before.driver === undefined) {
      try {
        await this.#restore(address, { driver: undefined, override: before.override });
      } catch (error) {
        throw await this.#faultOf(error, address, "no driver");
      }
    } else {
      await this.#release(address, before?.override, options);
    }
    await this.#journal.remove("prepared", address);
    return this.driverOf(address);
  }

  /** True for a controller that {@link take} or {@link borrow} has changed, also one that a killed process has left without driver. */
  async isChanged(address: string): Promise<boolean> {
    return (
      (await this.#journal.read("prepared", address)) !== undefined ||
      (await this.#journal.read("borrowed", address)) !== undefined
    );
  }

  /**
   * Runs work while the kernel drives a controller, then binds it back to the user-space driver that it had, with the same
   * owner. If this process is killed meanwhile, {@link recover} does this.
   *
   * @throws Fault bdevBindFailed, bdevVanished; what `work` throws
   */
  async borrow<T>(address: string, options: PciCallOptions, work: () => Promise<T>): Promise<T> {
    const driver = await this.driverOf(address);
    if (driver !== undefined && !USER_DRIVERS.includes(driver)) return work();
    const owner = await this.#ownerOf(address);
    const override = await this.#overrideOf(address);
    if (driver !== undefined) {
      BORROWED.add(address);
      await this.#record("borrowed", address, { driver, override, owner });
    }
    try {
      await this.#release(address, undefined, options);
      return await work();
    } finally {
      BORROWED.delete(address);
      if (await this.#isThere(address))
        await (driver === undefined
          ? this.#restore(address, { driver, override })
          : this.#return(address, driver, owner));
    }
  }

  /**
   * Restores the driver that a controller had before a process changed it and was killed: a borrowed one its user-space
   * driver, and one that is between two drivers its first one.
   *
   * @returns true when there was something to do
   * @throws Fault bdevBindFailed, bdevVanished
   */
  async recover(address: string, options: PciCallOptions = {}): Promise<boolean> {
    const borrowed = await this.#journal.read("borrowed", address);
    if (borrowed?.driver !== undefined) {
      if (BORROWED.has(address) || (await this.#isOfOther(borrowed))) return false;
      await this.#return(address, borrowed.driver, borrowed.owner);
      return true;
    }
    const prepared = await this.#journal.read("prepared", address);
    if (prepared?.driver === undefined || (await this.driverOf(address)) !== undefined) return false;
    if (prepared.pid === process.pid || (await this.#isOfOther(prepared))) return false;
    await this.giveBack(address, options);
    return true;
  }

  /** True for a record of another process that still runs. */
  async #isOfOther({ pid, started }: DriverRecord): Promise<boolean> {
    if (pid === process.pid) return false;
    const running = await this.#startOf(pid);
    return running !== undefined && running === started;
  }

  async #return(address: string, driver: string, owner: Owner | undefined): Promise<void> {
    await this.#load(address, driver, {});
    try {
      await this.#bind(address, driver);
    } catch (error) {
      throw await this.#faultOf(error, address, driver);
    }
    if (owner !== undefined) await this.settle();
    for (const node of owner === undefined ? [] : await userSpaceNodes(this.#sys, address)) {
      await chown(node, owner?.uid ?? 0, owner?.gid ?? 0).catch(() => {});
    }
    await this.#journal.remove("borrowed", address);
  }

  /** Loads the driver's module, and returns the controller's present driver. */
  async #load(address: string, driver: string, options: PciCallOptions): Promise<FormerDriver> {
    await this.load(driver, address, options);
    return { driver: await this.driverOf(address), override: await this.#overrideOf(address) };
  }

  async #bind(address: string, driver: string): Promise<void> {
    if ((await this.driverOf(address)) === driver) return;
    await this.#move(address, driver);
    const now = await this.driverOf(address);
    if (now !== driver) throw new Error(`it is bound to ${now ?? "no driver"} afterwards`);
  }

  /** Returns a device to the kernel's default driver, and waits until its controller is ready. */
  async #release(address: string, override: string | undefined, options: PciCallOptions): Promise<void> {
    try {
      await this.load("nvme", address, options);
      await this.#move(address, override);
      await this.#ready(address, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw await this.#faultOf(error, address, "nvme");
    }
  }

  /** One without driver is left without. */
  async #restore(address: string, { driver, override }: FormerDriver): Promise<void> {
    await this.#move(address, override, driver !== undefined);
  }

  /**
   * driver_override names the only driver that may bind the device. A line break clears it. Both are restored together,
   * and at each moment in between the controller differs from one that was never changed.
   */
  async #move(address: string, override: string | undefined, probe = true): Promise<void> {
    const device = `${PCI}/devices/${address}`;
    await this.#sys.write(
      `${device}/driver_override`,
      override === undefined || override === NO_OVERRIDE ? "\n" : override,
    );
    if ((await this.driverOf(address)) !== undefined) {
      await this.#sys.write(`${device}/driver/unbind`, address);
    }
    if (probe) await this.#sys.write(`${PCI}/drivers_probe`, address);
  }

  async #overrideOf(address: string): Promise<string> {
    const override = (await this.#sys.read(`${PCI}/devices/${address}/driver_override`)) ?? "";
    return override === "" ? NO_OVERRIDE : override;
  }

  async #ownerOf(address: string): Promise<Owner | undefined> {
    for (const node of await userSpaceNodes(this.#sys, address)) {
      try {
        const { uid, gid } = await stat(node);
        return { uid, gid };
      } catch {
        // Another node may be there.
      }
    }
    return undefined;
  }

  async #isThere(address: string): Promise<boolean> {
    return (await this.#sys.read(`${PCI}/devices/${address}/class`)) !== undefined;
  }

  async #record(
    change: DriverChange,
    address: string,
    before: FormerDriver & Pick<DriverRecord, "owner" | "namespaceIds">,
  ): Promise<void> {
    const { pid } = process;
    await this.#journal.write(change, address, { ...before, pid, started: await this.#startOf(pid) });
  }

  /** Field 22 of `/proc/PID/stat`. The name in field 2 may contain blanks and parentheses. @see proc(5) */
  async #startOf(pid: number): Promise<string | undefined> {
    const text = await this.#sys.read(`/proc/${pid}/stat`);
    return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  }

  async #ready(address: string, options: PciCallOptions): Promise<void> {
    const device = `${PCI}/devices/${address}`;
    for (let waited = 0; ; waited += POLL_MS) {
      const [name] = await this.#sys.list(`${device}/nvme`);
      if (waited >= TAKEN_MS && name === undefined && (await this.driverOf(address)) === undefined)
        throw new Error("the kernel's driver does not take it");
      const state = name === undefined ? undefined : await this.#sys.read(`${device}/nvme/${name}/state`);
      if (name !== undefined && state === "live") {
        const names = await this.#namespacesOf(`${device}/nvme/${name}`);
        if (names.length > 0 || waited >= NAMESPACES_MS) return;
      }
      if (waited >= READY_MS) {
        throw new Error(`the controller is ${state ?? "not there"} after ${READY_MS / 1000} s`);
      }
      await this.#wait(POLL_MS, options);
    }
  }

  async #faultOf(error: unknown, address: string, driver: string): Promise<Fault> {
    if (!(await this.#isThere(address))) {
      return faultVanished(`bind the NVMe controller ${address} to ${driver}`);
    }
    if (error instanceof Fault) return error;
    return faultBindFailed(address, driver, errorText(error));
  }
}
