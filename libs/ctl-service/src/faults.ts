import { Fault, FaultCode } from "@daos/fault";

/** The size of storage that is not there yet was asked for. */
export function faultScmNotMounted(index: number, mount: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageNotMounted,
    description: `the SCM of engine ${index} at ${mount} is not formatted or not mounted, so it has no size`,
    resolution: "format it with dmg storage format, or start its server",
  });
}

/** A block device whose size cannot be found out. */
export function faultBdevSize(device: string, cause?: unknown): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevMissingDevice,
    description: `the size of the block device ${device} in bdev_list is not known`,
    resolution: "see what is there with dmg storage scan -v, and correct bdev_list",
    cause,
  });
}

/** The log masks of a request cannot be used. */
export function faultLogMasks(masks: string): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.usage,
    description: `"${masks}" is not a level of the control plane's log`,
    resolution: "use DEBUG, INFO, WARN or ERROR; the engines' masks are set in the configuration (log_mask)",
  });
}

/** Another archive for support is being made. */
export function faultSupportBusy(): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.supportBusy,
    description: "cannot collect the logs of this host: another collection is under way",
    resolution: "wait until it has ended, at most 15 minutes",
  });
}
