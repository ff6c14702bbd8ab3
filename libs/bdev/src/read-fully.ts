import type { FileHandle } from "node:fs/promises";

/** Reads a part of a device, however many reads it takes. @throws Error when the device ends before */
export async function readFully(
  file: FileHandle,
  { position, length }: { readonly position: number; readonly length: number },
): Promise<Buffer> {
  const data = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(data, done, length - done, position + done);
    if (bytesRead === 0) throw new Error(`the device ends at byte ${position + done}`);
    done += bytesRead;
  }
  return data;
}
