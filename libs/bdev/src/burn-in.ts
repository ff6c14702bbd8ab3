import { randomFillSync } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { errorText } from "@daos/fault";
import type { NvmeHealth } from "./bdev-types.ts";
import { healthWarnings } from "./health.ts";
import { readFully } from "./read-fully.ts";
import { firstByteOfData } from "./zero-ends.ts";

/** An error at one offset of a device. */
interface BurnInError {
  readonly kind: "write" | "read" | "mismatch";
  /** In bytes from the start of the device. */
  readonly offset: bigint;
  readonly message: string;
}

/** The outcome of a burn-in of one device. */
export interface BurnInVerdict {
  readonly kind: "passed" | "failed" | "aborted";
  readonly bytesWritten: bigint;
  readonly bytesVerified: bigint;
  readonly elapsedMs: number;
  /** The first errors. The burn-in stops after {@link MAX_ERRORS}. */
  readonly errors: readonly BurnInError[];
  /** New errors and warnings in the device's own counters, one clause each: `2 media errors`. */
  readonly findings: readonly string[];
}

export interface BurnInOptions {
  /** Duration, ms. At least one window is written and verified. */
  readonly durationMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Drops the page cache of the device, so that reads reach the device. */
  readonly flush: (path: string) => Promise<void>;
  /** Stop before data is overwritten that was there before: each window is read before it is written for the first time. */
  readonly keepData?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Bytes written before they are read back; 64 MiB by default. */
  readonly windowBytes?: number;
}

/** A burn-in has found data that it must not overwrite. */
export class DataFoundError extends Error {
  /** In bytes from the start of the device: the place of the data, and the end of the written part. */
  readonly offset: number;
  readonly written: number;

  constructor(offset: number, written: number) {
    super(`byte ${offset} is not empty`);
    this.offset = offset;
    this.written = written;
  }
}

export const DEFAULT_BURN_IN_MS = 15 * 60_000;
/** The maximum duration: a request to the privileged helper ends after two hours. */
export const MAX_BURN_IN_MS = 90 * 60_000;
const MAX_ERRORS = 8;
const BLOCK = 1024 * 1024;

/**
 * Writes a device window by window, repeatedly, with different contents in each block, and reads every window back. Ends
 * when the time is over, after too many errors, or with `aborted` when the signal aborts. It destroys all data, unless
 * `keepData` is set.
 *
 * @throws DataFoundError with `keepData`
 */
export async function burnIn(path: string, size: bigint, options: BurnInOptions): Promise<BurnInVerdict> {
  const { durationMs, now, signal, windowBytes = 64 * BLOCK } = options;
  const begin = now();
  const errors: BurnInError[] = [];
  let bytesWritten = 0n;
  let bytesVerified = 0n;
  const isOver = () => errors.length >= MAX_ERRORS || signal?.aborted === true;
  const attempt = async (kind: BurnInError["kind"], offset: number, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      const message = errorText(error);
      errors.push({ kind, offset: BigInt(offset), message });
    }
  };
  const total = Number(size) - (Number(size) % 512);
  const file = await open(path, "r+");
  try {
    for (let round = 0, at = 0; !isOver(); ) {
      const end = Math.min(at + windowBytes, total);
      if (options.keepData === true && round === 0) await requireEmpty(file, at, end);
      for (let offset = at; offset < end && !isOver(); offset += BLOCK) {
        const block = pattern(round, offset, Math.min(BLOCK, end - offset));
        await attempt("write", offset, async () => {
          await writeFully(file, block, offset);
          bytesWritten += BigInt(block.length);
        });
      }
      await attempt("write", at, async () => {
        await file.sync();
        await options.flush(path);
      });
      for (let offset = at; offset < end && !isOver(); offset += BLOCK) {
        const expected = pattern(round, offset, Math.min(BLOCK, end - offset));
        await attempt("read", offset, async () => {
          const found = await readFully(file, { position: offset, length: expected.length });
          bytesVerified += BigInt(found.length);
          const mismatch = firstDifference(expected, found);
          if (mismatch === undefined) return;
          const message = `byte ${offset + mismatch} is ${found[mismatch]}, not ${expected[mismatch]}`;
          errors.push({ kind: "mismatch", offset: BigInt(offset + mismatch), message });
        });
      }
      const elapsed = now() - begin;
      options.onProgress?.(Math.min(1, elapsed / durationMs));
      if (elapsed >= durationMs) break;
      at = end >= total ? 0 : end;
      if (at === 0) round += 1;
    }
  } finally {
    await file.close();
  }
  const kind = errors.length > 0 ? "failed" : signal?.aborted === true ? "aborted" : "passed";
  const elapsedMs = Math.round(now() - begin);
  return { kind, bytesWritten, bytesVerified, elapsedMs, errors: errors.slice(0, MAX_ERRORS), findings: [] };
}

/** A block that cannot be read has no data to lose. The burn-in reports it. */
async function requireEmpty(file: FileHandle, from: number, to: number): Promise<void> {
  for (let offset = from; offset < to; offset += BLOCK) {
    const data = await readFully(file, { position: offset, length: Math.min(BLOCK, to - offset) }).catch(() =>
      Buffer.alloc(0),
    );
    const first = firstByteOfData(data);
    if (first !== undefined) throw new DataFoundError(offset + first, from);
  }
}

/** Compares two readings of a device's counters: errors that were added, and warnings that are set now. */
export function burnInFindings(before: NvmeHealth, after: NvmeHealth): readonly string[] {
  const added = (what: string, from: bigint, to: bigint) => (to > from ? [`${to - from} ${what}`] : []);
  return [
    ...added("media errors", before.mediaErrors, after.mediaErrors),
    ...added("error log entries", before.errorLogEntries, after.errorLogEntries),
    ...healthWarnings(after),
  ];
}

const SECTOR = 512;
let noise: Buffer | undefined;

/**
 * Contents that differ between blocks and rounds: random bytes, with the numbers of round and sector in every sector, so
 * that misplaced data is found too. The bytes are copied and not computed, because the privileged helper runs without a JIT
 * compiler and would be slower than the device.
 */
function pattern(round: number, offset: number, length: number): Buffer {
  noise ??= randomFillSync(Buffer.alloc(2 * BLOCK));
  const begin = ((round * 7919 + offset / SECTOR) * 8) % BLOCK;
  const words = new Uint32Array(length / 4);
  const block = Buffer.from(words.buffer);
  noise.copy(block, 0, begin, begin + length);
  for (let at = 0; at < words.length; at += SECTOR / 4) {
    words[at] = round;
    words[at + 1] = (offset + at * 4) / SECTOR;
  }
  return block;
}

function firstDifference(expected: Buffer, found: Buffer): number | undefined {
  if (expected.equals(found)) return undefined;
  return expected.findIndex((byte, index) => byte !== found[index]);
}

async function writeFully(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
    done += bytesWritten;
  }
}
