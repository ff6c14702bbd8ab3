/**
 * The block devices of an engine: PCI addresses for class `nvme`, device paths for `kdev`, absolute paths of files for
 * `file`; `malloc` has `number` devices and no list. `sizeGB` (10^9 bytes) is the size of each `file` or `malloc` device.
 */
export interface BdevStorage {
  readonly class: "nvme" | "malloc" | "kdev" | "file";
  readonly list: readonly string[];
  readonly number: number;
  readonly sizeGB: number;
}

/** An NVMe namespace. */
export interface NvmeNamespace {
  readonly id: number;
  /** In bytes. */
  readonly size: bigint;
}

/**
 * SMART data and error counters of a controller.
 *
 * @see NVM Express Base Specification, SMART / Health Information log page
 */
export interface NvmeHealth {
  /** In kelvin. */
  readonly temperature: number;
  /** Minutes above the warning and the critical temperature. */
  readonly temperatureWarningTime: number;
  readonly temperatureCriticalTime: number;
  /** In minutes. */
  readonly controllerBusyTime: bigint;
  readonly powerCycles: bigint;
  readonly powerOnHours: bigint;
  readonly unsafeShutdowns: bigint;
  readonly mediaErrors: bigint;
  readonly errorLogEntries: bigint;
  readonly temperatureWarning: boolean;
  readonly spareWarning: boolean;
  readonly reliabilityWarning: boolean;
  readonly readOnlyWarning: boolean;
  readonly volatileWarning: boolean;
  /** Used percentage of the device's rated life; may exceed 100. */
  readonly percentUsed: number;
}

/** The source of the data about a controller. */
export type NvmeSource =
  /** Read from the kernel's driver now. */
  | "kernel"
  /** Read from an SPDK target now. */
  | "spdk"
  /** From an earlier scan: the controller is bound to a user-space driver and cannot be read now. */
  | "last-known"
  /** From the PCI bus only: this controller has never been read. */
  | "pci";

/** An NVMe controller on this host. */
export interface NvmeController {
  readonly pciAddress: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly numaNode: number;
  /** Vendor and device, `8086:0953`. */
  readonly pciId: string;
  /** The driver to which it is bound: `nvme`, `vfio-pci`, `uio_pci_generic`; undefined for none. */
  readonly driver: string | undefined;
  readonly namespaces: readonly NvmeNamespace[];
  readonly health: NvmeHealth | undefined;
  readonly source: NvmeSource;
}

/** The health of a controller that cannot be read: zero counters, no warnings. */
export const UNKNOWN_HEALTH: NvmeHealth = {
  temperature: 0,
  temperatureWarningTime: 0,
  temperatureCriticalTime: 0,
  controllerBusyTime: 0n,
  powerCycles: 0n,
  powerOnHours: 0n,
  unsafeShutdowns: 0n,
  mediaErrors: 0n,
  errorLogEntries: 0n,
  temperatureWarning: false,
  spareWarning: false,
  reliabilityWarning: false,
  readOnlyWarning: false,
  volatileWarning: false,
  percentUsed: 0,
};

/** Hugepages of 2 MiB that a NUMA node has. */
export interface NodeHugepages {
  /** `node0`; `memory` on a machine without nodes. */
  readonly node: string;
  readonly pages: number;
}
