import type { Owner } from "@daos/sys";

/** A directory that SCM may be mounted at. */
export interface MountRule {
  readonly path: string;
  /** The largest tmpfs, in GiB; 0 for none. */
  readonly maxSizeGiB: number;
  /** Block devices whose file system may be made and mounted here. */
  readonly devices: readonly string[];
}

/** What the helper may be asked to touch. What is not named is refused. */
export interface Policy {
  /** The file it was read from, for messages. */
  readonly source: string;
  readonly mounts: readonly MountRule[];
  /** NVMe controllers that may be bound to another driver and formatted, in full form. */
  readonly pciAddresses: readonly string[];
  /** The most hugepages of 2 MiB. */
  readonly hugepages: number;
  /** True when namespaces may be made and destroyed on all persistent memory. */
  readonly scmPrepare: boolean;
  /** Who, besides the caller itself, may be given formatted storage. */
  readonly owners: readonly Owner[];
  /** Where the audit goes; the default of the installation when undefined. */
  readonly logFile: string | undefined;
}

/** Nothing is allowed. */
export function emptyPolicy(source: string): Policy {
  return {
    source,
    mounts: [],
    pciAddresses: [],
    hugepages: 0,
    scmPrepare: false,
    owners: [],
    logFile: undefined,
  };
}
