import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandRunner } from "@daos/sys";
import { faultUnreadable } from "./faults.ts";
import { probeContents } from "./probe-contents.ts";
import { readFully } from "./read-fully.ts";
import type { SpdkNamespace } from "./spdk-answers.ts";

/** libblkid looks for signatures in these parts at both ends. Backups of GPT, the labels of md and ZFS are at the end. */
const PROBED_BYTES = 1024 * 1024;

const IMAGE_BLOCK_BYTES = 512;
/** @see UEFI Specification, GUID Partition Table */
const GPT_SIGNATURE = Buffer.from("EFI PART", "latin1");

/** Reads whole blocks of a namespace. */
export type ReadBlocks = (first: bigint, count: number) => Promise<Buffer>;

/**
 * The contents of a namespace of an SPDK target, as {@link probeContents} returns them: there is no block device to
 * probe, so both ends are read and put into a sparse image of the same size.
 *
 * @param maxBytes of one read
 * @throws Fault missingSoftwareDependency; bdevToolFailed when the namespace cannot be read
 */
export async function spdkContents(
  namespace: SpdkNamespace,
  read: ReadBlocks,
  options: {
    readonly runner: CommandRunner;
    readonly maxBytes: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<string | undefined> {
  const { blockSize, blocks, bdev } = namespace;
  // Interleaved metadata follows the data of each block, 520 = 512 + 8.
  const dataBytes = 2 ** Math.floor(Math.log2(blockSize));
  const probed = BigInt(Math.ceil(PROBED_BYTES / dataBytes));
  const step = Math.max(1, Math.floor(options.maxBytes / blockSize));
  const tail = blocks - probed > probed ? blocks - probed : probed;
  const directory = await mkdtemp(join(tmpdir(), "daos-probe-"));
  try {
    const path = join(directory, "image");
    const image = await open(path, "w+", 0o600);
    try {
      await image.truncate(Number(blocks) * dataBytes);
      for (const [from, to] of [
        [0n, probed < blocks ? probed : blocks],
        [tail, blocks],
      ] as const) {
        for (let at = from; at < to; at += BigInt(step)) {
          const count = Math.min(step, Number(to - at));
          const data = await read(at, count);
          if (data.length < count * blockSize)
            throw faultUnreadable(bdev, `a read of ${count} blocks gave ${data.length} bytes`);
          await image.write(withoutMetadata(data, blockSize, dataBytes), 0, null, Number(at) * dataBytes);
        }
      }
    } finally {
      await image.close();
    }
    const contents = await probeContents(options.runner, path, { signal: options.signal, shown: bdev });
    if (contents !== undefined || dataBytes === IMAGE_BLOCK_BYTES) return contents;
    return (await holdsGpt(path, dataBytes, Number(blocks))) ? "gpt partition table" : undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** libblkid looks for the headers of a GPT, in the second and the last block, only at the block size of a file. */
async function holdsGpt(path: string, blockBytes: number, blocks: number): Promise<boolean> {
  const image = await open(path, "r");
  try {
    for (const block of [1, blocks - 1]) {
      const start = await readFully(image, { position: block * blockBytes, length: GPT_SIGNATURE.length });
      if (start.equals(GPT_SIGNATURE)) return true;
    }
    return false;
  } finally {
    await image.close();
  }
}

function withoutMetadata(data: Buffer, blockSize: number, dataBytes: number): Buffer {
  if (blockSize === dataBytes) return data;
  const blocks: Buffer[] = [];
  for (let at = 0; at < data.length; at += blockSize) blocks.push(data.subarray(at, at + dataBytes));
  return Buffer.concat(blocks);
}
