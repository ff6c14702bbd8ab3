import { errorText, Fault, FaultCode } from "@daos/fault";
import type { BurnInVerdict } from "./burn-in.ts";

/** The bdev section of the configuration cannot be used. */
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
    description: `cannot create the bdev file ${path} of ${showGB(needed)}: the file system has ${showGB(free)} free`,
    resolution: "make room, set bdev_size to less, or put the file on another file system (bdev_list)",
  });
}

export function faultFileFailed(path: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFileFailed,
    description: `cannot create the bdev file ${path}`,
    reason,
    resolution: "check that the directory exists and that the server's user may write to it",
  });
}

/** Configured controllers do not exist. */
export function faultMissingDevices(addresses: readonly string[], found: readonly string[]): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevMissingDevice,
    description: `cannot use NVMe controllers: there is none at ${addresses.join(", ")} (found: ${found.join(", ") || "none"})`,
    resolution:
      "correct bdev_list, or make the controllers available with daos-server storage prepare --nvme-only",
  });
}

export function faultFormatFailed(device: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFormatFailed,
    description: `cannot format the NVMe controller ${device}`,
    reason,
    resolution: "check its health with dmg storage query nvme-health and dmesg, then repeat the format",
  });
}

/** An engine could not use the controller, so nothing is changed on it. */
export function faultUnusable(attempted: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevFormatFailed,
    description: `cannot ${attempted}: ${reason}`,
    resolution:
      "leave the controller out (bdev_list, bdev_exclude), or change it (nvme create-ns, nvme format --lbaf, sriov_numvfs, VMD in the firmware's setup), which erases what it holds",
  });
}

/** A tool failed, or its answer cannot be read. */
export function faultToolFailed(command: string, version: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevToolFailed,
    description: `cannot use the answer of "${command}" (${version})`,
    reason,
    resolution:
      "run the command by hand as root; another release of the package, or a build with JSON output, may be needed",
  });
}

/** A size in the vendor's decimal units: `4.00 GB`. */
function showGB(bytes: bigint): string {
  return `${(Number(bytes) / 1e9).toFixed(2)} GB`;
}

/** The controller is in use. */
export function faultInUse(
  attempted: string,
  use: string,
  resolution = "stop what uses it (umount, swapoff, stop the engine), or leave the controller out (bdev_list, bdev_exclude)",
): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevInUse,
    description: `cannot ${attempted}: ${use}`,
    resolution,
  });
}

/** The controller holds data, and the request does not allow its loss. */
export function faultHoldsData(address: string, contents: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevHoldsData,
    description: `cannot format the NVMe controller ${address}: ${contents}`,
    resolution:
      "when this data is not needed, repeat with dmg storage format --reformat, which erases it; else leave the controller out (bdev_list, bdev_exclude)",
  });
}

/** The contents of a device are unknown. */
export function faultUnreadable(device: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevToolFailed,
    description: `cannot look for data on ${device}`,
    reason,
    resolution: "run as root; if it fails there too, look in dmesg and check the device's health",
  });
}

/** @param sign how the loss was noticed; by default, the controller is missing on the bus */
export function faultVanished(
  attempted: string,
  sign = "the controller has vanished from the PCI bus",
): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevVanished,
    description: `cannot ${attempted}: ${sign}`,
    resolution: "look for link errors in dmesg, reseat or replace the device, then rescan the bus",
  });
}

export function faultBindFailed(address: string, driver: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevBindFailed,
    description: `cannot bind the NVMe controller ${address} to ${driver}`,
    reason,
    resolution: `check that the kernel module ${driver} can be loaded (modprobe ${driver}) and look in dmesg; vfio-pci needs the IOMMU enabled in firmware and kernel (intel_iommu=on)`,
  });
}

/** @param verb `gave`; `has room for` when the allocation was not attempted */
export function faultHugepagesShort(
  wanted: number,
  got: readonly { readonly node: string; readonly pages: number }[],
  verb: "gave" | "has room for" = "gave",
): Fault {
  const total = got.reduce((sum, { pages }) => sum + pages, 0);
  const nodes = got.map(({ node, pages }) => `${node}: ${pages}`).join(", ");
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevHugepagesShort,
    description: `cannot reserve ${wanted} hugepages of 2 MiB: the kernel ${verb} ${total} (${nodes || "it has none of this size"})`,
    resolution:
      "ask for fewer (daos-server storage prepare --hugepages), free memory, or reserve them at boot (hugepages=N on the kernel's command line)",
  });
}

/** The operation needs root, and this process is not root. */
export function faultNotPrivileged(attempted: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageNotPrivileged,
    description: `cannot ${attempted}: this process has no CAP_SYS_ADMIN`,
    resolution: "run the command as root, as in sudo daos-server storage prepare",
  });
}

/** A mount would hide the files of other users. */
export function faultHugetlbfsInUse(mountPoint: string, names: readonly string[]): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevInUse,
    description: `cannot mount a hugetlbfs for the server's user at ${mountPoint}: the existing one has files of other users (${names.slice(0, 5).join(", ")})`,
    resolution: `stop their programs and unmount ${mountPoint}, or, when they may share it, give it to the server's user (chown USER ${mountPoint})`,
  });
}

export function faultHugetlbfsFailed(mountPoint: string, reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevHugepagesShort,
    description: `cannot mount a hugetlbfs at ${mountPoint}`,
    reason,
    resolution: "check that the kernel has hugetlbfs (grep hugetlbfs /proc/filesystems) and look in dmesg",
  });
}

/** A tool that the request needs is not installed. */
export function faultMissingTool(tool: string, wanted: string): Fault {
  const debian: Readonly<Record<string, string>> = {
    blkid: "util-linux",
    nvme: "nvme-cli",
    modprobe: "kmod",
  };
  return new Fault({
    domain: "bdev",
    code: FaultCode.missingSoftwareDependency,
    description: `cannot ${wanted}: the program ${tool} is not installed`,
    resolution: `install the package that has it (apt-get install ${debian[tool] ?? tool}, or dnf)`,
  });
}

export function faultSpdkFailed(
  attempted: string,
  cause: unknown,
  resolution = "check that the target runs and answers (rpc.py bdev_nvme_get_controllers), and look in its log",
): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevSpdkFailed,
    description: `cannot ${attempted} through the SPDK target`,
    reason: errorText(cause),
    resolution,
    cause,
  });
}

/** A burn-in overwrites the device, so the device must be empty. */
export function faultNotBlank(address: string, contents: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevBurnInFailed,
    description: `cannot burn in the NVMe controller ${address}: ${contents}`,
    resolution: "format the controller first if its data is not needed, or burn in another one",
  });
}

/** A controller failed its burn-in. */
export function faultBurnInFailed(address: string, verdict: BurnInVerdict): Fault {
  const [first] = verdict.errors;
  const errors =
    first === undefined ? [] : [`bad at ${verdict.errors.length} places, first: ${showBurnInError(first)}`];
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevBurnInFailed,
    description: `the NVMe controller ${address} failed its burn-in`,
    reason: [...errors, ...verdict.findings].join("; "),
    resolution: "replace the device, or leave it out of bdev_list; it holds nothing",
  });
}

/** `mismatch at byte 4096: byte 4097 is 1, not 2`. */
export function showBurnInError({ kind, offset, message }: BurnInVerdict["errors"][number]): string {
  return `${kind} at byte ${offset}: ${message}`;
}

export function faultBurnInUnsupported(address: string, backend: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevBurnInFailed,
    description: `cannot burn in the NVMe controller ${address}: the ${backend} backend drives it and does not support burn-in`,
    resolution: "stop the SPDK target, then try again: the kernel's driver is used",
  });
}

/** Without a record of the former state nothing may be changed: it could not be restored. */
export function faultRecordFailed(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.bdevRecordFailed,
    description: `cannot record in ${path} what is to be restored later, so nothing was changed`,
    reason: errorText(cause),
    resolution: `make room there or make it writable (df -h ${path}), then repeat the command`,
    cause,
  });
}
