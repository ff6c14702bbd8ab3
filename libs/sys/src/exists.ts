import { access } from "node:fs/promises";
import { hasErrorCode } from "./error-code.ts";

/** True when something is at `path`. @throws Error when this cannot be found out: something may be there */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** True when this process can see something at `path`. A path that it may not examine counts as missing. */
export async function isVisible(path: string): Promise<boolean> {
  return exists(path).catch(() => false);
}
