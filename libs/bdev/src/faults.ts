import { Fault, FaultCode } from "@daos/fault";

/** A bdev section that cannot be used as it stands. */
export function faultInvalidParameter(description: string, resolution: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFormatInvalidParameter,
    description,
    resolution,
  });
}

export function faultFileNoSpace(path: string, needed: bigint, free: bigint): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFileNoSpace,
    description: `create the bdev file ${path} of ${showGB(needed)}: the file system has ${showGB(free)} free`,
    resolution: "make room, set bdev_size to less, or put the file on another file system (bdev_list)",
  });
}

export function faultFileFailed(path: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFileFailed,
    description: `create the bdev file ${path}`,
    reason,
    resolution: "check that the directory exists and that the server's user may write to it",
  });
}

/** Configured controllers that the scan does not find. */
export function faultMissingDevices(addresses: readonly string[], found: readonly string[]): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevMissingDevice,
    description: `use NVMe controllers: there is none at ${addresses.join(", ")} (found: ${found.join(", ") || "none"})`,
    resolution:
      "correct bdev_list, or make the controllers available with daos-server storage prepare --nvme-only",
  });
}

export function faultFormatFailed(device: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFormatFailed,
    description: `format the NVMe controller ${device}`,
    reason,
    resolution: "check its health with dmg storage query nvme-health and dmesg, then repeat the format",
  });
}

/** A size as operators know it from the vendor: `4.00 GB`. */
export function showGB(bytes: bigint): string {
  return `${(Number(bytes) / 1e9).toFixed(2)} GB`;
}
