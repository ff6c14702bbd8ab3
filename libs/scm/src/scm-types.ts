/**
 * Where an engine keeps its SCM: `ram` is a tmpfs of `sizeGiB` GiB, `dcpm` an ext4 file system on one AppDirect
 * namespace: `/dev/pmem0`, a link to it, or `uuid:55bedf6f-a14a-429c-b65a-b764e01892cf`. `mount` is an absolute path.
 */
export type ScmStorage =
  | { readonly class: "ram"; readonly mount: string; readonly sizeGiB: number }
  | { readonly class: "dcpm"; readonly mount: string; readonly device: string };

/** A persistent-memory module as the firmware knows it. */
export interface ScmModule {
  readonly physicalId: number;
  readonly socket: number;
  readonly memoryController: number;
  readonly channel: number;
  /** The slot on the channel. */
  readonly channelPosition: number;
  /** In bytes. */
  readonly capacity: bigint;
}

/** A namespace with a block device. */
export interface ScmNamespace {
  readonly uuid: string;
  /** The block device's name, `pmem0`. */
  readonly blockdev: string;
  /** The namespace's name, `namespace0.0`. */
  readonly dev: string;
  readonly numaNode: number;
  /** In bytes. */
  readonly size: bigint;
  /** `fsdax` (the only mode that can be mounted with dax), `raw`, `sector`; undefined when unknown. */
  readonly mode?: string | undefined;
}

/** What a scan found. */
export interface ScmScan {
  readonly modules: readonly ScmModule[];
  readonly namespaces: readonly ScmNamespace[];
  /** What the scan could not read, and namespaces without a block device, one sentence each. */
  readonly notes: readonly string[];
}

/** The contents of an engine's SCM before it is formatted. */
export type ScmFormatState =
  /** In use: it counts as formatted. */
  | { readonly kind: "mounted" }
  /** A dcpm device with our file system, not mounted. */
  | { readonly kind: "mountable" }
  /** Empty: a format destroys no data. */
  | { readonly kind: "unformatted" }
  /** A dcpm device with something else on it: `xfs`, `ntfs`, or `dos` for a partition table. */
  | { readonly kind: "foreign"; readonly fsType: string };

/** An interleaved set of modules that holds namespaces. */
export interface ScmRegion {
  /** `region0`. */
  readonly dev: string;
  /** In bytes. */
  readonly size: bigint;
  /** Bytes that no namespace uses. */
  readonly available: bigint;
  /** The largest free extent, in bytes. */
  readonly largestExtent: bigint;
  /** Why no namespace can be made on it, as `it is disabled`; undefined when one can. */
  readonly problem?: string | undefined;
}

/** How a prepare or a reset ended. */
export type ScmPrepareResult =
  /** The machine has neither modules nor regions. Nothing was done. The notes say what is missing, of CXL memory. */
  | { readonly kind: "no-scm"; readonly notes?: readonly string[] | undefined }
  /** The modules change their layout at the next boot. Repeat prepare (or reset) after it. */
  | { readonly kind: "reboot-needed"; readonly notes?: readonly string[] | undefined }
  /** Finished, with these namespaces. */
  | {
      readonly kind: "done";
      readonly namespaces: readonly ScmNamespace[];
      /** What was not done and why, or what was destroyed, one sentence each; undefined for nothing. */
      readonly notes?: readonly string[] | undefined;
    };

/** Any namespace that is not a kernel seed, with or without a block device. */
export interface AnyNamespace {
  /** `namespace0.0`; it may change at a reboot. */
  readonly dev: string;
  /** Identifies it permanently; empty for a namespace without a label. */
  readonly uuid: string;
  readonly mode: string;
  /** In bytes. */
  readonly size: bigint;
  /** `pmem0`; undefined when it is disabled or in devdax mode. */
  readonly blockdev: string | undefined;
  /** The character devices of devdax mode, `dax0.1`. */
  readonly chardevs: readonly string[];
  /** False for one without a driver, as after `ndctl disable-namespace`. */
  readonly isEnabled: boolean;
  /** True while the kernel uses it as ordinary memory. */
  readonly isSystemRam: boolean;
}
