import { constants } from "node:fs";
import { access, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { hasErrorCode } from "@daos/sys";
import { faultArchiveNotWritten, faultNoArchiveName } from "./faults.ts";

/**
 * Checks the name of an archive before anything is collected for it.
 *
 * @throws Fault usage for a path that does not name a file, archiveNotWritten
 */
export async function checkArchiveName(path: string): Promise<void> {
  if (path === "") throw faultNoArchiveName(path, "the name is empty");
  if (path === "-") throw faultNoArchiveName(path, "an archive is a file that only its owner can read");
  if (path.endsWith("/")) throw faultNoArchiveName(path, "it is a directory");
  try {
    const found = await lstat(path).catch((error: unknown) => {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    });
    if (found?.isDirectory()) throw new Error("it is a directory");
    if (found !== undefined) throw Object.assign(new Error("it exists"), { code: "EEXIST" });
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw faultArchiveNotWritten(path, error);
  }
}
