import { errorText, Fault, FaultCode, toFault } from "@daos/fault";
import type { PmemDevice } from "./pmem-devices.ts";
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

/** The directory of `scm_mount` cannot be made, read, emptied or given to its owner. */
export function faultMountPointFailed(mount: string, cause: unknown): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmMountPointFailed,
    description: `cannot use the directory ${mount} for SCM`,
    reason: errorText(cause),
    resolution: `${toFault(cause).resolution}, or set scm_mount to another directory`,
    cause,
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

/** The kernel cannot map the device's memory. Formatted, it could never be mounted. */
export function faultNoDax(device: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmWithoutDax,
    description: `cannot use ${device} for SCM: it cannot be mounted with dax`,
    reason: "a namespace in raw or sector mode, and an ordinary disk, have no dax",
    resolution:
      "name a namespace in fsdax mode in scm_list (daos-server storage scan shows the modes), or make it one, which destroys its data: ndctl create-namespace -f -e NAMESPACE -m fsdax",
  });
}

/** The device was mounted by hand, without dax. */
export function faultMountedWithoutDax(mount: string, device: string): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmWithoutDax,
    description: `cannot use ${device} at ${mount} for SCM: it is mounted without dax`,
    resolution: `unmount it (umount ${mount}): the server mounts it with dax`,
  });
}

/** No namespace has the uuid of the configuration. */
export function faultNoNamespace(uuid: string, found: readonly PmemDevice[]): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmNamespaceMissing,
    description: `cannot use SCM device uuid:${uuid}: no namespace has this uuid`,
    reason:
      found.length === 0
        ? "this host has no namespaces with a uuid"
        : `this host has ${found.map((device) => `${device.uuid} (${device.path})`).join(", ")}`,
    resolution: "correct scm_list, or enable the namespace: ndctl list -RNi shows those that are disabled",
  });
}

/** The namespace on which this storage was formatted is gone, and its name belongs to another one. */
export function faultNamespaceChanged(
  storage: { readonly mount: string; readonly device: string },
  was: string,
  is: string | undefined,
): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmNamespaceMissing,
    description: `cannot use ${storage.device} for SCM at ${storage.mount}: it was formatted on namespace ${was}, which is not there`,
    reason: `${storage.device} is ${is === undefined ? "missing" : `namespace ${is} now`}`,
    resolution:
      "bring the namespace back (ndctl list -RNi shows those that are disabled), or start over on this one with dmg storage format --reformat",
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

/** A format would destroy storage that something else uses. */
export function faultDeviceInUse(
  storage: { readonly mount: string; readonly device: string },
  use: string,
): Fault {
  return new Fault({
    domain: "scm",
    code: FaultCode.scmDeviceInUse,
    description: `cannot format ${storage.device} for SCM at ${storage.mount}: ${use}`,
    resolution:
      "end the use (losetup -d, the export, the process), then repeat the format, or name another namespace in scm_list",
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
    description: `cannot ${attempted}: this process has no CAP_SYS_ADMIN`,
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
