import { open } from "node:fs/promises";
import { readFully } from "./read-fully.ts";

/** File systems, partition tables and SPDK's blobstore keep their signatures within this distance of the ends of a device. */
export const END_BYTES = 16 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/** Up to this size, a device is read completely; of a larger one as much in samples, at equal distances. */
const SAMPLED_BYTES = 4 * 1024 * 1024 * 1024;

export interface EndsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each piece, with the fraction done, from 0 to 1. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Writes zeros over the first and the last 16 MiB of a device (or file) of `size` bytes, durably. */
export async function zeroEnds(path: string, size: bigint, options: EndsOptions = {}): Promise<void> {
  const file = await open(path, "r+");
  try {
    await eachPiece(endPieces(size), options, async (position, length) => {
      for (let done = 0; done < length; ) {
        const { bytesWritten } = await file.write(ZEROS, 0, length - done, position + done);
        done += bytesWritten;
      }
      return undefined;
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
  return firstNonZero(path, endPieces(size), options);
}

/**
 * Looks at a whole device: all of up to 4 GiB; of a larger one both ends, and 4 GiB in between in samples.
 *
 * @returns as {@link findNonZero}
 */
export async function findData(
  path: string,
  size: bigint,
  options: EndsOptions & { /** 4 GiB by default. */ readonly sampledBytes?: number } = {},
): Promise<number | undefined> {
  const { sampledBytes = SAMPLED_BYTES } = options;
  const total = Number(size);
  const samples: Piece[] = [];
  const step = Math.max(CHUNK, Math.floor(total / (sampledBytes / CHUNK) / CHUNK) * CHUNK);
  for (let at = 0; at < total; at += step) samples.push([at, Math.min(CHUNK, total - at)]);
  return firstNonZero(path, [...endPieces(size), ...samples], options);
}

async function firstNonZero(
  path: string,
  pieces: readonly Piece[],
  options: EndsOptions,
): Promise<number | undefined> {
  const file = await open(path, "r");
  try {
    return await eachPiece(pieces, options, async (position, length) => {
      const first = firstByteOfData(await readFully(file, { position, length }));
      return first === undefined ? undefined : position + first;
    });
  } finally {
    await file.close();
  }
}

const ZEROS = Buffer.alloc(CHUNK);

/** The index of the first byte that is not zero. A comparison is much faster than a search. */
export function firstByteOfData(data: Buffer): number | undefined {
  for (let at = 0; at < data.length; at += CHUNK) {
    const part = data.subarray(at, at + CHUNK);
    if (!ZEROS.subarray(0, part.length).equals(part)) return at + part.findIndex((byte) => byte !== 0);
  }
  return undefined;
}

type Piece = readonly [position: number, length: number];

/** Works on the pieces until it finds something. */
async function eachPiece<T>(
  pieces: readonly Piece[],
  options: EndsOptions,
  work: (position: number, length: number) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const [index, [position, length]] of pieces.entries()) {
    options.signal?.throwIfAborted();
    const found = await work(position, length);
    if (found !== undefined) return found;
    options.onProgress?.((index + 1) / pieces.length);
  }
  return undefined;
}

function endPieces(size: bigint): readonly Piece[] {
  const total = Number(size);
  const head = Math.min(END_BYTES, total);
  const tail = Math.max(head, total - END_BYTES);
  const pieces: Piece[] = [];
  for (const [from, to] of [
    [0, head],
    [tail, total],
  ] as const) {
    for (let at = from; at < to; at += CHUNK) pieces.push([at, Math.min(CHUNK, to - at)]);
  }
  return pieces;
}
