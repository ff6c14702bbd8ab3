import {
  type BlockClaim,
  type CommandRunner,
  claimOf,
  type DeviceOpener,
  findDeviceOpeners,
  type MountTable,
  type SysTree,
  unclaimedUse,
} from "@daos/sys";
import type { DriverJournal } from "./driver-journal.ts";
import { faultUnreadable } from "./faults.ts";
import { probeContents } from "./probe-contents.ts";
import { userSpaceNodes } from "./user-space-nodes.ts";

const PCI_DEVICES = "/sys/bus/pci/devices";
const BLOCK = "/sys/class/block";
const NAMESPACE = /^(nvme\d+)(?:c\d+)?(n\d+)$/;
/** Nodes through which a process can use a controller: block devices, `/dev/ng0n1`, user-space drivers. */
const NODES = /^\/dev\/(?:nvme\d+n\d+(?:p\d+)?|ng\d+n\d+|vfio\/.+|uio\d+)$/;

export interface DeviceUsesOptions {
  readonly sys: SysTree;
  readonly mounts: MountTable;
  readonly runner: CommandRunner;
  /** The identities of controllers that a user-space driver has; unknown by default. */
  readonly journal?: Pick<DriverJournal, "read"> | undefined;
  /** The kernel's answer by default. */
  readonly claim?: (device: string) => Promise<BlockClaim>;
  /** The directory of the block devices. */
  readonly devDirectory?: string | undefined;
}

/**
 * Finds out what uses a controller, and what it holds. A controller in use must be left alone. Contents may only be erased
 * on request.
 */
export class DeviceUses {
  readonly #sys: SysTree;
  readonly #mounts: MountTable;
  readonly #runner: CommandRunner;
  readonly #dev: string;
  readonly #journal: Pick<DriverJournal, "read"> | undefined;
  /** A walk through all processes takes a while. Callers that ask at the same time share it. */
  #walk: Promise<ReadonlyMap<string, DeviceOpener>> | undefined;
  readonly #claim: (device: string) => Promise<BlockClaim>;

  constructor(options: DeviceUsesOptions) {
    this.#sys = options.sys;
    this.#mounts = options.mounts;
    this.#runner = options.runner;
    this.#journal = options.journal;
    this.#claim = options.claim ?? claimOf;
    this.#dev = options.devDirectory ?? "/dev";
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
   * The identities of a controller's namespaces. Two controllers with a common identity are two paths to one device. While a
   * user-space driver has the controller they are those of the journal; none without.
   */
  async namespaceIds(address: string): Promise<readonly string[]> {
    const names = await this.blockDevices(address);
    if (names.length > 0) return Promise.all(names.map((name) => this.#identity(name)));
    return (await this.#journal?.read("prepared", address))?.namespaceIds ?? [];
  }

  /**
   * What uses a controller, as a clause such as `nvme0n1p1 is mounted at /home`; undefined when nothing does. On the device,
   * a partition of it, or another path to it: a file system, swap, a RAID, a logical volume, a loop device, an export of
   * the kernel ({@link unclaimedUse}), a process that has it open. Also a process with a user-space driver.
   */
  async find(address: string): Promise<string | undefined> {
    for (const name of await this.#allPaths(await this.blockDevices(address))) {
      const use = await this.#useOfBlockDevice(name);
      if (use !== undefined) return use;
    }
    return (await this.#opener(await userSpaceNodes(this.#sys, address))) ?? this.#useOfOtherPath(address);
  }

  /** Another path to one of its namespaces, with a user-space driver that a process has open. */
  async #useOfOtherPath(address: string): Promise<string | undefined> {
    const ids = this.#journal === undefined ? [] : await this.namespaceIds(address);
    if (ids.length === 0) return undefined;
    for (const other of await this.#sys.list(PCI_DEVICES)) {
      const nodes = other === address ? [] : await userSpaceNodes(this.#sys, other);
      if (nodes.length === 0 || !(await this.namespaceIds(other)).some((id) => ids.includes(id))) continue;
      const use = await this.#opener(nodes);
      if (use !== undefined) return `${other} is another path to its device, and ${use}`;
    }
    return undefined;
  }

  /**
   * What a controller holds, as a clause such as `nvme0n1p1 holds ext4`; undefined when libblkid recognizes nothing, and
   * while a user-space driver has the controller. The devices themselves are read, with their partitions.
   *
   * @throws Fault missingSoftwareDependency; bdevToolFailed for a device that cannot be read
   */
  async contents(
    address: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<string | undefined> {
    const found: string[] = [];
    for (const disk of await this.blockDevices(address)) {
      for (const name of [disk, ...(await this.#partitions(disk))]) {
        // A namespace of size 0 has metadata that the kernel cannot handle.
        if (Number(await this.#sys.read(`${BLOCK}/${name}/size`)) === 0) continue;
        const what = await this.#probe(name, options.signal);
        if (what !== undefined) found.push(`${name} holds ${what}`);
      }
    }
    return found.length === 0 ? undefined : found.join(", ");
  }

  async #probe(name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const device = `${this.#dev}/${name}`;
    // blkid gives the same answer for a missing device as for a blank one.
    const claim = await this.#claim(device);
    if (claim === "missing" || claim === "forbidden") throw faultUnreadable(device, `it is ${claim}`);
    return probeContents(this.#runner, device, { signal });
  }

  async #partitions(disk: string): Promise<readonly string[]> {
    return (await this.#sys.list(`${BLOCK}/${disk}`)).filter((name) => name.startsWith(`${disk}p`));
  }

  /** The kernel's identity: of UUID, NGUID, EUI64 or serial and model. Without it, subsystem and number; else the name. */
  async #identity(name: string): Promise<string> {
    const wwid = await this.#sys.read(`${BLOCK}/${name}/wwid`);
    if (wwid !== undefined && wwid !== "") return wwid;
    const [subsystem, id] = await Promise.all([
      this.#sys.read(`${BLOCK}/${name}/device/subsysnqn`),
      this.#sys.read(`${BLOCK}/${name}/nsid`),
    ]);
    return subsystem === undefined || id === undefined ? name : `${subsystem} ${id}`;
  }

  /** With the kernel's own multipath disabled, each path to a namespace is a block device. */
  async #allPaths(names: readonly string[]): Promise<readonly string[]> {
    if (names.length === 0) return [];
    const ids = await Promise.all(names.map((name) => this.#identity(name)));
    const others = (await this.#sys.list(BLOCK)).filter(
      (name) => /^nvme\d+n\d+$/.test(name) && !names.includes(name),
    );
    const same = await Promise.all(others.map(async (name) => ids.includes(await this.#identity(name))));
    return [...names, ...others.filter((_, index) => same[index])];
  }

  async #useOfBlockDevice(disk: string): Promise<string | undefined> {
    const names = [disk, ...(await this.#partitions(disk))];
    const [mounts, swaps] = await Promise.all([this.#mounts.list(), this.#sys.read("/proc/swaps")]);
    for (const name of names) {
      const device = `/dev/${name}`;
      const numbers = await this.#sys.read(`${BLOCK}/${name}/dev`);
      const mount = mounts.find(
        (entry) => entry.source === device || (numbers !== undefined && entry.device === numbers),
      );
      if (mount !== undefined) return `${name} is mounted at ${mount.mountPoint}`;
      if (swaps?.split("\n").some((line) => line.split(/\s/)[0] === device) === true)
        return `${name} is swap`;
      const [holder] = await this.#sys.list(`${BLOCK}/${name}/holders`);
      if (holder !== undefined) return `${name} is a part of ${holder}`;
    }
    const unclaimed = await unclaimedUse(this.#sys, names);
    if (unclaimed !== undefined) return unclaimed;
    const nodes = names.map((name) => `/dev/${name}`);
    const use = await this.#opener([...nodes, `/dev/${disk.replace(/^nvme/, "ng")}`]);
    if (use !== undefined) return use;
    return (await this.#claim(`/dev/${disk}`)) === "claimed"
      ? `${disk} or a partition of it is in use by the kernel`
      : undefined;
  }

  /** Unbinding a device from vfio-pci blocks while a process has it open. */
  async #opener(nodes: readonly string[]): Promise<string | undefined> {
    if (nodes.length === 0) return undefined;
    const openers = await this.#openers();
    for (const node of nodes) {
      const opener = openers.get(node);
      if (opener !== undefined) return `process ${opener.pid} (${opener.program}) has ${node} open`;
    }
    return undefined;
  }

  #openers(): Promise<ReadonlyMap<string, DeviceOpener>> {
    this.#walk ??= findDeviceOpeners(this.#sys, NODES).finally(() => {
      this.#walk = undefined;
    });
    return this.#walk;
  }
}
