import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { hasErrorCode } from "./error-code.ts";

/**
 * Makes a directory and its missing parents; existing ones are unchanged. Not `mkdir` with `recursive`, which retries
 * for ever when a file system reports an existing parent as missing, as /proc does.
 *
 * @throws Error of the file system
 */
export async function makeDirectories(path: string, options: { readonly mode: number }): Promise<void> {
  try {
    await makeOne(path, options);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT") || dirname(path) === path) throw error;
    await makeDirectories(dirname(path), options);
    await makeOne(path, options);
  }
}

async function makeOne(path: string, options: { readonly mode: number }): Promise<void> {
  try {
    await mkdir(path, options);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
}
