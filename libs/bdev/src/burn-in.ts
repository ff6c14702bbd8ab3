import { randomFillSync } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { NvmeHealth } from "./bdev-types.ts";
import { healthWarnings } from "./health.ts";

/** What went wrong at one place of a device. */
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
  /** The first few; a device is given up after {@link MAX_ERRORS}. */
  readonly errors: readonly BurnInError[];
  /** What the device's own counters say about the time, a clause each: `2 media errors`. */
  readonly findings: readonly string[];
}

export interface BurnInOptions {
  /** At least one window is written and verified, however short this is. */
  readonly durationMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Makes the kernel forget what it has of the device, so that the device is read, not memory. */
  readonly flush: (path: string) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Bytes that are written before they are read again; 64 MiB by default. */
  readonly windowBytes?: number;
}

export const DEFAULT_BURN_IN_MS = 15 * 60_000;
/** The longest that may be asked for: a request to the privileged helper ends after two hours. */
export const MAX_BURN_IN_MS = 90 * 60_000;
const MAX_ERRORS = 8;
const BLOCK = 1024 * 1024;

/**
 * Writes a device from start to end, window by window and over again, each block with contents of its own, and reads
 * every window back from the device. Ends when the time is over, after too many errors, or with `aborted` when the
 * signal says so. It destroys what is on the device; the caller has made sure that nothing is.
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
      const message = error instanceof Error ? error.message : String(error);
      errors.push({ kind, offset: BigInt(offset), message });
    }
  };
  const total = Number(size) - (Number(size) % 512);
  const file = await open(path, "r+");
  try {
    for (let round = 0, at = 0; !isOver(); ) {
      const end = Math.min(at + windowBytes, total);
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
          const found = await readFully(file, expected.length, offset);
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

/**
 * What a device's counters say about the time between two looks at them: errors that were added, and warnings that are
 * set now.
 */
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
 * Contents that differ from block to block and from round to round: a piece of random bytes, other ones each time, with
 * the number of round and sector in every sector, so that data in the wrong place is found too. Copied rather than
 * computed: the privileged helper runs without a compiler, and would be slower than the device.
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

async function readFully(file: FileHandle, length: number, position: number): Promise<Buffer> {
  const data = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(data, done, length - done, position + done);
    if (bytesRead === 0) throw new Error(`the device ends at byte ${position + done}`);
    done += bytesRead;
  }
  return data;
}
