import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { NvmeConfDevice } from "./nvme-conf.ts";

/** The capacity of an engine, in bytes. */
export interface Capacity {
  readonly scm: number;
  readonly nvme: number;
}

/** The size of the file system at the SCM mount point. @throws Error when the directory does not exist */
export async function scmCapacity(mount: string): Promise<number> {
  const { blocks, bsize } = await statfs(mount);
  return blocks * bsize;
}

/**
 * The size of a device: of a file, of a block device in the kernel, or 0 for an NVMe controller without the kernel's driver.
 *
 * @throws Error when a file or device is missing
 */
export async function deviceCapacity(device: NvmeConfDevice, sys = "/sys"): Promise<number> {
  switch (device.kind) {
    case "malloc":
      return device.bytes;
    case "aio": {
      const info = await stat(device.path);
      return info.isBlockDevice()
        ? sectors(join(sys, "class/block", device.path.split("/").at(-1) ?? ""))
        : info.size;
    }
    case "nvme": {
      const controllers = await entries(join(sys, "bus/pci/devices", device.address, "nvme"));
      const namespaces = await Promise.all(
        controllers.map(async (controller) =>
          (await entries(join(sys, "class/nvme", controller)))
            .filter((name) => /^nvme\d+(c\d+)?n\d+$/.test(name))
            .map((name) => join(sys, "class/nvme", controller, name)),
        ),
      );
      const sizes = await Promise.all(namespaces.flat().map(sectors));
      return sizes.reduce((sum, size) => sum + size, 0);
    }
  }
}

/** Sectors in sysfs have 512 bytes, independent of the device's sector size. */
async function sectors(directory: string): Promise<number> {
  return Number((await readFile(join(directory, "size"), "utf8")).trim()) * 512;
}

async function entries(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}
