import { type BlockClaim, claimOf, type MountTable, type SysTree } from "@daos/sys";

const PCI_DEVICES = "/sys/bus/pci/devices";
const NAMESPACE = /^(nvme\d+)(?:c\d+)?(n\d+)$/;

export interface DeviceUsesOptions {
  readonly sys: SysTree;
  readonly mounts: MountTable;
  /** The kernel's answer by default. */
  readonly claim?: (device: string) => Promise<BlockClaim>;
}

/** Finds out what uses a controller. A controller in use must be left alone. */
export class DeviceUses {
  readonly #sys: SysTree;
  readonly #mounts: MountTable;
  readonly #claim: (device: string) => Promise<BlockClaim>;

  constructor(options: DeviceUsesOptions) {
    this.#sys = options.sys;
    this.#mounts = options.mounts;
    this.#claim = options.claim ?? claimOf;
  }

  /** The block devices of a controller that the kernel drives, `nvme0n1`, in the order of their names. */
  async blockDevices(address: string): Promise<readonly string[]> {
    const [controller] = await this.#sys.list(`${PCI_DEVICES}/${address}/nvme`);
    if (controller === undefined) return [];
    const names = await this.#sys.list(`${PCI_DEVICES}/${address}/nvme/${controller}`);
    // nvme0c1n1 is one path to nvme0n1. The block device's name has no path.
    return names.flatMap((name) => {
      const [, prefix, namespace] = NAMESPACE.exec(name) ?? [];
      return prefix === undefined ? [] : [`${prefix}${namespace}`];
    });
  }

  /**
   * What uses a controller, as a clause such as `nvme0n1p1 is mounted at /home`; undefined when nothing does. A file
   * system, swap, a RAID or a logical volume on the device or a partition of it; a process with a user-space driver.
   */
  async find(address: string): Promise<string | undefined> {
    for (const name of await this.blockDevices(address)) {
      const use = await this.#useOfBlockDevice(name);
      if (use !== undefined) return use;
    }
    return this.#userSpaceProcess(address);
  }

  async #useOfBlockDevice(disk: string): Promise<string | undefined> {
    const partitions = (await this.#sys.list(`/sys/class/block/${disk}`)).filter((name) =>
      name.startsWith(`${disk}p`),
    );
    const [mounts, swaps] = await Promise.all([this.#mounts.list(), this.#sys.read("/proc/swaps")]);
    for (const name of [disk, ...partitions]) {
      const device = `/dev/${name}`;
      const numbers = await this.#sys.read(`/sys/class/block/${name}/dev`);
      const mount = mounts.find(
        (entry) => entry.source === device || (numbers !== undefined && entry.device === numbers),
      );
      if (mount !== undefined) return `${name} is mounted at ${mount.mountPoint}`;
      if (swaps?.split("\n").some((line) => line.split(/\s/)[0] === device) === true)
        return `${name} is swap`;
      const [holder] = await this.#sys.list(`/sys/class/block/${name}/holders`);
      if (holder !== undefined) return `${name} is a part of ${holder}`;
    }
    return (await this.#claim(`/dev/${disk}`)) === "claimed"
      ? `${disk} or a partition of it is in use by the kernel`
      : undefined;
  }

  /** Unbinding a device from vfio-pci blocks while a process has it open. */
  async #userSpaceProcess(address: string): Promise<string | undefined> {
    const nodes = new Set(await userSpaceNodes(this.#sys, address));
    if (nodes.size === 0) return undefined;
    for (const pid of (await this.#sys.list("/proc")).filter((name) => /^\d+$/.test(name))) {
      for (const fd of await this.#sys.list(`/proc/${pid}/fd`)) {
        const target = await this.#sys.resolve(`/proc/${pid}/fd/${fd}`);
        if (target !== undefined && nodes.has(target)) {
          // SPDK renames its threads. The program name says more than `reactor_1`.
          const program = (await this.#sys.resolve(`/proc/${pid}/exe`))?.split("/").at(-1);
          const comm = program ?? (await this.#sys.read(`/proc/${pid}/comm`)) ?? "?";
          return `process ${pid} (${comm}) has ${target} open`;
        }
      }
    }
    return undefined;
  }
}

/**
 * The device nodes through which a process drives a controller: the IOMMU group of vfio-pci, or the uio device. Empty while
 * the kernel drives it.
 */
export async function userSpaceNodes(sys: SysTree, address: string): Promise<readonly string[]> {
  const device = `${PCI_DEVICES}/${address}`;
  const driver = (await sys.resolve(`${device}/driver`))?.split("/").at(-1);
  if (driver === "vfio-pci") {
    const group = (await sys.resolve(`${device}/iommu_group`))?.split("/").at(-1);
    const cdevs = await sys.list(`${device}/vfio-dev`);
    return [
      ...(group === undefined ? [] : [`/dev/vfio/${group}`]),
      ...cdevs.map((name) => `/dev/vfio/devices/${name}`),
    ];
  }
  if (driver === "uio_pci_generic" || driver === "igb_uio") {
    return (await sys.list(`${device}/uio`)).map((name) => `/dev/${name}`);
  }
  return [];
}
