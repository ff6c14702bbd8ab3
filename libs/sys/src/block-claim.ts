import { constants, open } from "node:fs/promises";
import { hasErrorCode } from "./error-code.ts";

/** Whether the kernel uses a block device. */
export type BlockClaim = "free" | "claimed" | "missing" | "forbidden";

/**
 * Asks the kernel whether anything has claimed a block device: a file system, swap, a RAID or a logical volume, on the
 * device or on one of its partitions, in any mount namespace. An exclusive open of the whole device fails then.
 */
export async function claimOf(device: string): Promise<BlockClaim> {
  try {
    await (await open(device, constants.O_RDONLY | constants.O_EXCL)).close();
    return "free";
  } catch (error) {
    if (hasErrorCode(error, "EBUSY")) return "claimed";
    if (hasErrorCode(error, "ENOENT", "ENXIO", "ENODEV", "ENOMEDIUM")) return "missing";
    if (hasErrorCode(error, "EACCES", "EPERM")) return "forbidden";
    throw error;
  }
}
