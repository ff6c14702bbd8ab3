import { Fault, FaultCode } from "@daos/fault";
import type { ScmStorage } from "./scm-types.ts";

/** The SCM section of the configuration cannot be formatted. */
export function faultInvalidParameter(attempted: string, reason: string, resolution: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmFormatInvalidParameter,
    description: `cannot ${attempted}`,
    reason,
    resolution,
  });
}

/** A format would destroy data and the caller has not consented. */
export function faultAlreadyFormatted(storage: ScmStorage, what: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageAlreadyFormatted,
    description: `cannot format SCM at ${storage.mount}: ${what}`,
    resolution: "repeat the format with --reformat if what is on it may be destroyed",
  });
}

/** A foreign file system is mounted at `scm_mount`. */
export function faultFilesystemAlreadyMounted(mount: string, source: string, fsType: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageFilesystemAlreadyMounted,
    description: `cannot use ${mount} for SCM: ${source} (${fsType}) is mounted there`,
    resolution: `unmount it (umount ${mount}), or set scm_mount to another directory`,
  });
}

/** The device is mounted, but not at `scm_mount`. */
export function faultDeviceAlreadyMounted(device: string, at: string, wanted: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageDeviceAlreadyMounted,
    description: `cannot use ${device} for SCM at ${wanted}: it is mounted at ${at}`,
    resolution: `unmount it (umount ${at}), or set scm_list to another device`,
  });
}

/** The process may not mount, and neither the directory nor its parent is a mount point. */
export function faultNotMounted(storage: ScmStorage): Fault {
  const command =
    storage.class === "ram"
      ? `mkdir -p ${storage.mount} && mount -t tmpfs -o size=${storage.sizeGiB}g,mode=0700,uid=$(id -u USER),nosuid,nodev tmpfs ${storage.mount}`
      : `mount -o dax ${storage.device} ${storage.mount}`;
  return new Fault({
    domain: "storage",
    code: FaultCode.storageNotMounted,
    description: `cannot use ${storage.mount} for SCM as a user who may not mount: neither it nor its parent is a mount point`,
    resolution: `let root run "${command}", install the privileged helper daos-admin, or set scm_mount to a directory below a mounted tmpfs such as /dev/shm/daos`,
  });
}

export function faultMissingDevice(device: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmMissingDevice,
    description: `cannot use the SCM device ${device}: there is no such block device`,
    resolution:
      "list the namespaces with daos-server storage scan, make them with daos-server storage prepare --scm-only, and name one in scm_list",
  });
}

export function faultDeviceUnreadable(device: string, reason: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmDeviceUnreadable,
    description: `cannot read the SCM device ${device}`,
    reason,
    resolution:
      "run the server with its privileged helper daos-admin, or as root; check dmesg for I/O errors",
  });
}

export function faultMountFailed(attempted: string, reason: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmMountFailed,
    description: `cannot run "${attempted}"`,
    reason,
    resolution:
      "look for users of the directory with fuser -vm, check dmesg, and try again; a dax mount needs a namespace in fsdax mode",
  });
}

export function faultFormatFailed(storage: ScmStorage, step: string, reason: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmFormatFailed,
    description: `cannot format SCM at ${storage.mount}: ${step}`,
    reason,
    resolution: "remove the cause (see also dmesg), then repeat the format: it starts over from any state",
  });
}

/** A reset would destroy a namespace that is in use. */
export function faultNamespacesInUse(uses: readonly string[]): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmPrepareFailed,
    description: `cannot reset SCM: ${uses.join("; ")}`,
    reason: "nothing was changed",
    resolution:
      "end these uses (umount, vgchange -an, swapoff, daxctl reconfigure-device --mode=devdax), then repeat the reset",
  });
}

/** A tool failed for a reason that is not a fault of the SCM. */
export function faultToolFailed(command: string, reason: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmToolFailed,
    description: `cannot run "${command}"`,
    reason,
    resolution: "run the command by hand as root; update the tool if it knows no such option",
  });
}

/** The operation needs root, and this process is not root. */
export function faultNotPrivileged(attempted: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageNotPrivileged,
    description: `cannot ${attempted}: this process may not (it has no CAP_SYS_ADMIN)`,
    resolution: "run the command as root, as in sudo daos-server storage prepare",
  });
}

export function faultPrepareFailed(step: string, reason: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmPrepareFailed,
    description: `cannot prepare SCM: ${step}`,
    reason,
    resolution:
      "check the modules with ipmctl show -dimm and the namespaces with ndctl list -RNi, then repeat: prepare and reset go on from any state",
  });
}

/** A tool that the request needs is not installed. */
export function faultMissingTool(tool: string, wanted: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.missingSoftwareDependency,
    description: `cannot ${wanted}: the program ${tool} is not installed`,
    resolution: `install the package that has it (Debian: apt-get install ${DEBIAN[tool] ?? tool}; RHEL: dnf install ${tool})`,
  });
}

const DEBIAN: Readonly<Record<string, string>> = {
  "mkfs.ext4": "e2fsprogs",
  blkid: "util-linux",
  wipefs: "util-linux",
  mount: "mount",
  umount: "mount",
};
