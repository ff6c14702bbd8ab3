import { readFile } from "node:fs/promises";
import { listMounts, type MountEntry } from "./mounts.ts";

/** The port through which providers learn what is mounted. */
export interface MountTable {
  /** What is mounted now, in the order of mounting. */
  list(): Promise<readonly MountEntry[]>;
  /** True when this process may mount and unmount file systems. */
  mayMount(): Promise<boolean>;
}

const CAP_SYS_ADMIN = 1n << 21n;

/** The real {@link MountTable}: mountinfo, and CAP_SYS_ADMIN among the effective capabilities. */
export const linuxMountTable: MountTable = {
  list: listMounts,
  mayMount: async () => hasSysAdmin(await readFile("/proc/self/status", "utf8")),
};

/**
 * Reads the text of `/proc/self/status`, which has a line such as `CapEff:	000001ffffffffff`. Root in a container
 * often lacks the capability, so the user id alone would say too much.
 */
export function hasSysAdmin(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & CAP_SYS_ADMIN) !== 0n;
}
