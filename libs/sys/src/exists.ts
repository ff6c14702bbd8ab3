import { access } from "node:fs/promises";
import { hasErrorCode } from "./error-code.ts";

/** True when something is at `path`. @throws Error of what cannot be looked at: it may be there */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
}
