import { type FileHandle, open } from "node:fs/promises";

/** File systems, partition tables and SPDK's blobstore keep their signatures within this distance of the ends of a device. */
export const END_BYTES = 16 * 1024 * 1024;
const CHUNK = 1024 * 1024;

export interface EndsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each piece, with the fraction done, from 0 to 1. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Writes zeros over the first and the last 16 MiB of a device (or file) of `size` bytes, durably. */
export async function zeroEnds(path: string, size: bigint, options: EndsOptions = {}): Promise<void> {
  const zeros = Buffer.alloc(CHUNK);
  const file = await open(path, "r+");
  try {
    await eachPiece(size, options, async (position, length) => {
      for (let done = 0; done < length; ) {
        const { bytesWritten } = await file.write(zeros, 0, length - done, position + done);
        done += bytesWritten;
      }
    });
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Reads the first and the last 16 MiB and returns the offset of the first byte that is not zero; undefined when there is
 * none. The caller must have dropped the page cache of the device.
 */
export async function findNonZero(
  path: string,
  size: bigint,
  options: EndsOptions = {},
): Promise<number | undefined> {
  const zeros = Buffer.alloc(CHUNK);
  const file = await open(path, "r");
  let found: number | undefined;
  try {
    await eachPiece(size, options, async (position, length) => {
      const data = await readFully(file, position, length);
      if (found === undefined && !zeros.subarray(0, length).equals(data)) {
        found = position + data.findIndex((byte) => byte !== 0);
      }
    });
    return found;
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const data = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(data, done, length - done, position + done);
    if (bytesRead === 0) throw new Error(`the device ends at byte ${position + done}`);
    done += bytesRead;
  }
  return data;
}

async function eachPiece(
  size: bigint,
  options: EndsOptions,
  work: (position: number, length: number) => Promise<void>,
): Promise<void> {
  const total = Number(size);
  const head = Math.min(END_BYTES, total);
  const tail = Math.max(head, total - END_BYTES);
  const pieces: (readonly [number, number])[] = [];
  for (const [from, to] of [
    [0, head],
    [tail, total],
  ] as const) {
    for (let at = from; at < to; at += CHUNK) pieces.push([at, Math.min(CHUNK, to - at)]);
  }
  let done = 0;
  for (const [position, length] of pieces) {
    options.signal?.throwIfAborted();
    await work(position, length);
    done += 1;
    options.onProgress?.(done / pieces.length);
  }
}
