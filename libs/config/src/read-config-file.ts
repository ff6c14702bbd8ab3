import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { errorText } from "@daos/fault";
import { faultConfigNotFound, faultConfigUnreadable } from "./faults.ts";
import type { FileKind } from "./file-kind.ts";
import { MAX_FILE_BYTES } from "./read-yaml.ts";

/**
 * Reads a file or a pipe up to the size limit plus one byte. The extra byte shows that the file is too long.
 *
 * @throws Fault configNotFound, configUnreadable
 */
export async function readConfigFile(path: string, kind: FileKind): Promise<string> {
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const bytes = buffer.subarray(0, length);
    // A file that is too long is reported as such; it may have been cut inside a character.
    if (length <= MAX_FILE_BYTES && !isUtf8(bytes)) throw new Error(`${badPlace(bytes)} is not UTF-8`);
    return bytes.toString("utf8");
  } catch (error) {
    if (isMissing(error)) throw faultConfigNotFound(path, kind, error);
    throw faultConfigUnreadable(path, errorText(error), error);
  }
}

/** `line 3, column 9`: the place of the first byte that belongs to no character. */
function badPlace(bytes: Buffer): string {
  let line = 1;
  for (let start = 0; ; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const text = bytes.subarray(start, newline === -1 ? bytes.length : newline);
    if (!isUtf8(text)) return `line ${line}, column ${text.toString("utf8").indexOf("\uFFFD") + 1}`;
    start = newline + 1;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
