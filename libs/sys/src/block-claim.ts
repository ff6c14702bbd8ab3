import { constants, open } from "node:fs/promises";
import { delay } from "./deadline.ts";
import { hasErrorCode } from "./error-code.ts";

/** Whether the kernel uses a block device. */
export type BlockClaim = "free" | "claimed" | "missing" | "forbidden";

export interface ClaimOptions {
  /** Opens a device for exclusive use; the kernel's by default. */
  readonly openExclusively?: (device: string) => Promise<{ close(): Promise<void> }>;
}

/**
 * Pauses between repeated checks, ms. A check claims the device itself for a moment; a real claim lasts longer than all
 * checks.
 */
const ATTEMPTS = 3;
const AGAIN_MS = 50;

/**
 * The last check of each disk. Two checks at the same time, of two paths or partitions, would see each other's claim.
 */
const asked = new Map<string, Promise<unknown>>();

/**
 * Asks the kernel whether anything has claimed a block device: a file system, swap, a RAID or a logical volume, on the
 * device or on one of its partitions, in any mount namespace. An exclusive open of the whole device fails then.
 */
export async function claimOf(device: string, options: ClaimOptions = {}): Promise<BlockClaim> {
  const disk = device.replace(/(?<=\d)p\d+$/, "");
  const before = asked.get(disk);
  const answer = (async () => {
    await before?.catch(() => {});
    return ask(device, options);
  })();
  asked.set(disk, answer);
  try {
    return await answer;
  } finally {
    if (asked.get(disk) === answer) asked.delete(disk);
  }
}

async function ask(
  device: string,
  { openExclusively = (path) => open(path, constants.O_RDONLY | constants.O_EXCL) }: ClaimOptions,
): Promise<BlockClaim> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await (await openExclusively(device)).close();
      return "free";
    } catch (error) {
      if (hasErrorCode(error, "EBUSY")) {
        if (attempt === ATTEMPTS) return "claimed";
        await delay(AGAIN_MS);
        continue;
      }
      if (hasErrorCode(error, "ENOENT", "ENXIO", "ENODEV", "ENOMEDIUM")) return "missing";
      if (hasErrorCode(error, "EACCES", "EPERM")) return "forbidden";
      throw error;
    }
  }
}
