/**
 * Where an engine keeps its SCM: `ram` is a tmpfs of `sizeGiB` GiB, `dcpm` an ext4 file system on one AppDirect
 * namespace such as `/dev/pmem0`. `mount` is an absolute path.
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
  /** `fsdax`, the only one that can be mounted with dax; `raw`, `sector`. Undefined where it is not known. */
  readonly mode?: string | undefined;
}

/** What a scan found. */
export interface ScmScan {
  readonly modules: readonly ScmModule[];
  readonly namespaces: readonly ScmNamespace[];
  /** What the scan could not look at and why, a sentence each; none when all was well. */
  readonly notes: readonly string[];
}

/** What there is on an engine's SCM before it is formatted. */
export type ScmFormatState =
  /** In use: it counts as formatted. */
  | { readonly kind: "mounted" }
  /** A dcpm device with our file system, not mounted. */
  | { readonly kind: "mountable" }
  /** Nothing that a format would destroy. */
  | { readonly kind: "unformatted" }
  /** A dcpm device with something else on it: `xfs`, `ntfs`, or `dos` for a partition table. */
  | { readonly kind: "foreign"; readonly fsType: string };

/** A set of modules, interleaved, that namespaces are made on. */
export interface ScmRegion {
  /** `region0`. */
  readonly dev: string;
  /** In bytes. */
  readonly size: bigint;
  /** Bytes that no namespace has. */
  readonly available: bigint;
  /** The longest piece of what is available. */
  readonly largestExtent: bigint;
  /** Why no namespace can be made on it, as `it is disabled`; undefined when one can. */
  readonly problem?: string | undefined;
}

/** How a prepare or a reset ended. */
export type ScmPrepareResult =
  /** There is neither a module nor a region: nothing was done. */
  | { readonly kind: "no-scm" }
  /** The modules get another layout at the next boot; prepare (or reset) has to be repeated after it. */
  | { readonly kind: "reboot-needed" }
  /** All is done; these namespaces are there now. */
  | {
      readonly kind: "done";
      readonly namespaces: readonly ScmNamespace[];
      /** What was not done and why, or what was destroyed, a sentence each; undefined for nothing. */
      readonly notes?: readonly string[] | undefined;
    };

/** Any namespace that is not a seed of the kernel's, also one without a block device. */
export interface AnyNamespace {
  /** `namespace0.0`, another one after a reboot perhaps. */
  readonly dev: string;
  /** What identifies it; empty for one without label. */
  readonly uuid: string;
  readonly mode: string;
  /** In bytes. */
  readonly size: bigint;
  /** `pmem0`; undefined for one that is disabled, or in devdax mode. */
  readonly blockdev: string | undefined;
  /** True while the kernel uses it as ordinary memory. */
  readonly isSystemRam: boolean;
}
