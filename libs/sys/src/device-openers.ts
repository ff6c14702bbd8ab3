import type { SysTree } from "./sys-tree.ts";

/** A process that has a device node open. */
export interface DeviceOpener {
  readonly pid: string;
  readonly program: string;
}

/** udev looks into each new block device for a moment. It neither uses nor changes it. */
const UDEV = ["systemd-udevd", "udevadm", "udevd"];

/**
 * Finds the processes that have device nodes open whose paths match, one for each node. The processes of other users are
 * hidden from a user without privileges.
 */
export async function findDeviceOpeners(
  sys: SysTree,
  nodes: RegExp,
): Promise<ReadonlyMap<string, DeviceOpener>> {
  const openers = new Map<string, DeviceOpener>();
  for (const pid of (await sys.list("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await sys.list(`/proc/${pid}/fd`)) {
      const target = await sys.resolve(`/proc/${pid}/fd/${fd}`);
      if (target === undefined || !nodes.test(target) || openers.has(target)) continue;
      // SPDK renames its threads. The program name says more than `reactor_1`.
      const exe = (await sys.resolve(`/proc/${pid}/exe`))?.split("/").at(-1);
      const program = exe ?? (await sys.read(`/proc/${pid}/comm`)) ?? "?";
      if (!UDEV.includes(program)) openers.set(target, { pid, program });
    }
  }
  return openers;
}
