import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";

/**
 * Reads a text file.
 *
 * @throws Error with the line for a text that is not UTF-8, which release 0.8.0 refuses too; the errors of readFile
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (!isUtf8(bytes)) throw new Error(`line ${firstBadLine(bytes)} is not UTF-8`);
  return bytes.toString("utf8");
}

function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
