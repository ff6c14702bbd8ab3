import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * The end of a log, from the beginning of a line on. Only a regular file is read: a pipe would block for ever.
 *
 * @throws Error of the file system, or for anything but a regular file
 */
export async function readTail(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path} is not a regular file`);
    const length = Math.min(found.size, maxBytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, found.size - length);
    const text = buffer.toString("utf8", 0, bytesRead);
    if (length === found.size) return text;
    const cut = found.size - length;
    return `[${cut} bytes before this were left out]\n${text.slice(text.indexOf("\n") + 1)}`;
  } finally {
    await file.close();
  }
}
