import type { SysTree } from "./sys-tree.ts";

const CONFIG = "/sys/kernel/config";
const NVMET = `${CONFIG}/nvmet/subsystems`;
const LIO = `${CONFIG}/target/core`;
const GADGETS = `${CONFIG}/usb_gadget`;
const RNBD = "/sys/class/rnbd-server/ctl/devices";
const XEN = "/sys/bus/xen-backend/devices";

/** A block device that the kernel exports to other machines. Most of these do not claim it. */
export interface KernelExport {
  /** The device's name, `nvme0n1p1`. */
  readonly device: string;
  /** The name of the export: `nqn.x (nvmet)`. */
  readonly as: string;
}

/**
 * Every export, enabled or not: NVMe over fabrics (nvmet), iSCSI and other SCSI (LIO), RDMA (rnbd), USB gadgets, Xen.
 *
 * @param deviceAt the name of the device that a path leads to
 * @see Linux Documentation/ABI/testing/{configfs-usb-gadget-mass-storage,sysfs-class-rnbd-server}, drivers/target
 */
export async function kernelExports(
  sys: SysTree,
  deviceAt: (path: string) => Promise<string>,
): Promise<readonly KernelExport[]> {
  const found: KernelExport[] = [];
  const add = async (path: string | undefined, as: string) => {
    if (path !== undefined && path !== "") found.push({ device: await deviceAt(path), as });
  };
  for (const subsystem of await sys.list(NVMET)) {
    for (const id of await sys.list(`${NVMET}/${subsystem}/namespaces`)) {
      const path = await sys.read(`${NVMET}/${subsystem}/namespaces/${id}/device_path`);
      await add(path, `${subsystem} (nvmet)`);
    }
  }
  for (const backend of await sys.list(LIO)) {
    for (const name of await sys.list(`${LIO}/${backend}`)) {
      // `info` has the path that the kernel has opened. `udev_path` is a note of the administrator's tool.
      const info = (await sys.read(`${LIO}/${backend}/${name}/info`)) ?? "";
      const path = /\bFile: (\/\S+)/.exec(info)?.[1] ?? /\bUDEV PATH: (\/\S+)/.exec(info)?.[1];
      await add(path ?? (await sys.read(`${LIO}/${backend}/${name}/udev_path`)), `${name} (LIO ${backend})`);
    }
  }
  for (const gadget of await sys.list(GADGETS)) {
    for (const function_ of await sys.list(`${GADGETS}/${gadget}/functions`)) {
      for (const lun of await sys.list(`${GADGETS}/${gadget}/functions/${function_}`)) {
        const path = await sys.read(`${GADGETS}/${gadget}/functions/${function_}/${lun}/file`);
        await add(path, `${gadget} (USB gadget)`);
      }
    }
  }
  for (const name of await sys.list(RNBD)) {
    const device = (await sys.resolve(`${RNBD}/${name}/block_dev`))?.split("/").at(-1);
    if (device !== undefined) found.push({ device, as: `${name} (rnbd)` });
  }
  for (const name of await sys.list(XEN)) {
    // Hexadecimal, `103:1`.
    const numbers = await sys.read(`${XEN}/${name}/physical_device`);
    const [major, minor] = numbers?.split(":").map((digits) => Number.parseInt(digits, 16)) ?? [];
    if (major === undefined || minor === undefined) continue;
    const device = (await sys.resolve(`/sys/dev/block/${major}:${minor}`))?.split("/").at(-1);
    if (device !== undefined) found.push({ device, as: `${name} (Xen)` });
  }
  return found;
}
