import type { Owner } from "@daos/sys";

/** A directory where SCM may be mounted. */
export interface MountRule {
  readonly path: string;
  /** The largest tmpfs, in GiB; 0 for none. */
  readonly maxSizeGiB: number;
  /** Block devices that may be formatted and mounted here. */
  readonly devices: readonly string[];
}

/** The resources that the helper may change. All others are refused. */
export interface Policy {
  /** The source file, for messages. */
  readonly source: string;
  readonly mounts: readonly MountRule[];
  /** NVMe controllers that may be bound to another driver and formatted, in full form. */
  readonly pciAddresses: readonly string[];
  /** The maximum number of 2 MiB hugepages. */
  readonly hugepages: number;
  /** True when namespaces may be created and destroyed on all persistent memory. */
  readonly scmPrepare: boolean;
  /** Users besides the caller that may own formatted storage. */
  readonly owners: readonly Owner[];
  /** The path of the audit; the installation's default when undefined. */
  readonly logFile: string | undefined;
}

/** A policy that allows nothing. */
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
