/** Facts about a machine, collected by the caller. Nothing is checked against a part that is `undefined`. */
export interface MachineFacts {
  readonly memory?: MemoryFacts | undefined;
  readonly numaNodes?: readonly NumaNodeFacts[] | undefined;
  /** Interfaces that exist, with or without a provider. */
  readonly networkInterfaces?: readonly NetworkInterfaceFacts[] | undefined;
  /** One entry for each pair of interface and provider. */
  readonly fabricInterfaces?: readonly FabricInterfaceFacts[] | undefined;
  readonly pmemNamespaces?: readonly PmemNamespaceFacts[] | undefined;
  readonly nvmeControllers?: readonly NvmeControllerFacts[] | undefined;
  readonly hugepages?: HugepageFacts | undefined;
  /** The addresses of the hosts that the configuration names, by name. A name that does not resolve is left out. */
  readonly hostAddresses?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The hosts that the configuration names and that have no address here. */
  readonly unresolvedHosts?: readonly string[] | undefined;
  /** Facts about the paths that the configuration names: {@link pathsOf}. */
  readonly paths?: Readonly<Record<string, PathFacts>> | undefined;
}

interface MemoryFacts {
  readonly totalBytes: number;
  /** Memory that is available without swapping. */
  readonly availableBytes: number;
}

export interface NumaNodeFacts {
  readonly id: number;
  /** Physical cores. */
  readonly cores: number;
  readonly memoryBytes: number;
}

export interface NetworkInterfaceFacts {
  readonly device: string;
  /** `undefined` for interfaces without a node, such as virtual ones, and for those with several. */
  readonly numaNode?: number | undefined;
  /** It is up and has an address. */
  readonly usable: boolean;
  /** Why it is not usable, `it is down`. */
  readonly problem?: string | undefined;
}

export interface FabricInterfaceFacts {
  readonly device: string;
  readonly provider: string;
  readonly numaNode?: number | undefined;
  /** The nodes of an interface with hardware on several, such as a bond. */
  readonly numaNodes?: readonly number[] | undefined;
  /** The kernel makes its RDMA device in software. */
  readonly softwareRdma?: boolean | undefined;
}

export interface PmemNamespaceFacts {
  /** `/dev/pmem0` */
  readonly device: string;
  /** Identifies the namespace when its name changes; empty for one without a label. */
  readonly uuid?: string | undefined;
  /** `fsdax` can be mounted with dax; `raw` and `sector` cannot; unknown otherwise. */
  readonly mode?: string | undefined;
  readonly numaNode?: number | undefined;
  readonly sizeBytes: number;
}

export interface NvmeControllerFacts {
  /** `0000:81:00.0` */
  readonly address: string;
  readonly model: string;
  readonly numaNode?: number | undefined;
  readonly sizeBytes: number;
  /** What uses it, `nvme0n1p1 is mounted at /home`. */
  readonly use?: string | undefined;
  /** True when a user-space driver has it; an engine of this host may then be using it. */
  readonly userDriven?: boolean | undefined;
  /** What it holds, `nvme0n1 holds ext4`. */
  readonly contents?: string | undefined;
  /** Why no engine can use it, `nvme0n1 is zoned (host-managed)`. */
  readonly unusable?: string | undefined;
  /** Why it is used only when the configuration names it, `it is a virtual function of 0000:45:00.0`. */
  readonly notOffered?: string | undefined;
  /** Controllers with a common identity are paths to one device. */
  readonly namespaceIds?: readonly string[] | undefined;
}

interface HugepageFacts {
  readonly pageBytes: number;
}

/** The kind of a path, and the file system on which it is or would be created. */
export interface PathFacts {
  readonly kind: "missing" | "directory" | "file" | "block" | "other";
  /** What uses a block device, `it is mounted at /home`. */
  readonly use?: string | undefined;
  /** Of a file. */
  readonly sizeBytes?: number | undefined;
  readonly fileSystemBytes?: number | undefined;
  readonly freeBytes?: number | undefined;
}
