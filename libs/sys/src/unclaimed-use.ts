import { kernelExports } from "./kernel-exports.ts";
import type { SysTree } from "./sys-tree.ts";

const BLOCK = "/sys/class/block";

/**
 * What the kernel uses a block device for without a claim, so that an exclusive open does not find it: a loop device, an
 * export to other machines ({@link kernelExports}). A clause such as `nvme0n1 is the backing of loop0`; undefined for neither.
 *
 * @param names the device and its partitions, `nvme0n1`
 */
export async function unclaimedUse(sys: SysTree, names: readonly string[]): Promise<string | undefined> {
  // A path such as /dev/disk/by-id/... leads to the device.
  const deviceAt = async (path: string) => {
    const real = (await sys.resolve(path)) ?? path;
    return real.startsWith("/dev/") ? real.slice("/dev/".length) : real;
  };
  for (const loop of await sys.list(BLOCK)) {
    if (!/^loop\d+$/.test(loop)) continue;
    const path = await sys.read(`${BLOCK}/${loop}/loop/backing_file`);
    const backing = path === undefined ? undefined : await deviceAt(path);
    if (backing !== undefined && names.includes(backing)) return `${backing} is the backing of ${loop}`;
  }
  const exported = (await kernelExports(sys, deviceAt)).find(({ device }) => names.includes(device));
  return exported === undefined ? undefined : `${exported.device} is exported as ${exported.as}`;
}
