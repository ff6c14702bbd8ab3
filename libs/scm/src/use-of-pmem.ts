import { findDeviceOpeners, type SysTree, unclaimedUse } from "@daos/sys";

const BLOCK = "/sys/class/block";
/** Nodes through which a process can use a namespace. */
const NODES = /^\/dev\/(?:pmem\d+(?:\.\d+)?s?(?:p\d+)?|dax\d+\.\d+)$/;

/**
 * What uses namespaces without a mount and without a claim of the kernel: loop devices, exports, processes that have a
 * device open.
 *
 * @param devices block and character devices, `pmem0` or `dax0.0`
 */
export async function usesOfPmem(sys: SysTree, devices: readonly string[]): Promise<readonly string[]> {
  const openers = await findDeviceOpeners(sys, NODES);
  const uses: string[] = [];
  for (const device of devices) {
    const partitions = (await sys.list(`${BLOCK}/${device}`)).filter((name) => name.startsWith(`${device}p`));
    const names = [device, ...partitions];
    for (const name of names) {
      const opener = openers.get(`/dev/${name}`);
      if (opener !== undefined) uses.push(`process ${opener.pid} (${opener.program}) has /dev/${name} open`);
    }
    const unclaimed = await unclaimedUse(sys, names);
    if (unclaimed !== undefined) uses.push(unclaimed);
  }
  return uses;
}
