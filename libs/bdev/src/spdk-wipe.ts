import { FORMAT_TIMEOUT_MS } from "@daos/sys";
import {
  formatCommand,
  IDENTIFY_BYTES,
  identifyNamespaceCommand,
  readCommand,
  writeZeroesCommand,
} from "./nvme-command.ts";
import type { SpdkNamespace } from "./spdk-answers.ts";
import type { SpdkCallOptions } from "./spdk-connection.ts";
import { END_BYTES } from "./zero-ends.ts";

/**
 * The share of the format in the progress of a wipe. Reading both ends through a target takes longer, unless the device is
 * slow.
 */
const FORMAT_SHARE = 0.3;
/** Maximum number of blocks of a Write Zeroes command. */
const ZEROED_BLOCKS = 65_536;

/** The result of a raw command: its status, 0 for success, and the bytes that it read. */
export interface RawAnswer {
  readonly status: number;
  readonly data: Buffer;
}

/** The properties of a controller that a wipe depends on. */
export interface WipeLimits {
  /** The size of a read, in bytes. */
  readonly readBytes: number;
  /** False when Format NVM may change another namespace. */
  readonly mayFormat: boolean;
}

/** Sends a raw command to the controller of the namespace. */
export type SendRaw = (
  kind: "admin" | "io",
  command: Buffer,
  dataBytes: number,
  options?: SpdkCallOptions,
) => Promise<RawAnswer>;

/** Wipes one namespace: format, and zeros at both ends if the format is not supported or leaves data. */
export class NamespaceWipe {
  readonly #namespace: SpdkNamespace;
  readonly #readBytes: number;
  readonly #mayFormat: boolean;
  readonly #report: (step: "format" | "zero" | "verify", fraction: number) => void;
  readonly #send: SendRaw;
  #done = 0;

  constructor(
    namespace: SpdkNamespace,
    { readBytes, mayFormat }: WipeLimits,
    report: (step: "format" | "zero" | "verify", fraction: number) => void,
    send: SendRaw,
  ) {
    this.#namespace = namespace;
    this.#readBytes = readBytes;
    this.#mayFormat = mayFormat;
    this.#report = report;
    this.#send = send;
  }

  /** False when the namespace is not empty afterwards. */
  async run(): Promise<boolean> {
    this.#report("format", 0);
    const formatted = this.#mayFormat && (await this.#format());
    this.#done = FORMAT_SHARE;
    if (formatted && (await this.#isZero())) return true;
    this.#report("zero", this.#done);
    await this.#zeroEnds();
    return this.#isZero();
  }

  /** False when the controller does not support the command. */
  async #format(): Promise<boolean> {
    const { id } = this.#namespace;
    const { status: unknown, data } = await this.#send("admin", identifyNamespaceCommand(id), IDENTIFY_BYTES);
    // Another block format would be another block size.
    if (unknown !== 0 || data.length < IDENTIFY_BYTES) return false;
    const { status } = await this.#send("admin", formatCommand(id, data), 0, {
      timeoutMs: FORMAT_TIMEOUT_MS,
    });
    return status === 0;
  }

  async #zeroEnds(): Promise<void> {
    for (const [first, count] of pieces(this.#namespace, ZEROED_BLOCKS)) {
      const { status } = await this.#send("io", writeZeroesCommand(this.#namespace.id, first, count), 0);
      if (status !== 0) throw new Error(`Write Zeroes ended with status ${status.toString(16)}h`);
    }
  }

  /** The rest of the wipe's progress is divided over the reads. */
  async #isZero(): Promise<boolean> {
    const { id, blockSize } = this.#namespace;
    const zeros = Buffer.alloc(Math.max(this.#readBytes, blockSize));
    const reads = [...pieces(this.#namespace, Math.max(1, Math.floor(this.#readBytes / blockSize)))];
    const step = (1 - this.#done) / reads.length;
    for (const [first, count] of reads) {
      this.#report("verify", this.#done);
      const bytes = count * blockSize;
      const { status, data } = await this.#send("io", readCommand(id, first, count), bytes);
      if (status !== 0) throw new Error(`Read ended with status ${status.toString(16)}h`);
      if (!zeros.subarray(0, bytes).equals(data)) return false;
      this.#done += step;
    }
    return true;
  }
}

/** The first and the last megabytes, in extents of at most this many blocks. */
function* pieces(namespace: SpdkNamespace, most: number): Generator<readonly [bigint, number]> {
  const { blocks, blockSize } = namespace;
  const end = BigInt(Math.floor(END_BYTES / blockSize));
  const head = end < blocks ? end : blocks;
  const tail = blocks - end > head ? blocks - end : head;
  for (const [from, to] of [
    [0n, head],
    [tail, blocks],
  ] as const) {
    for (let at = from; at < to; at += BigInt(most)) {
      yield [at, Number(to - at < BigInt(most) ? to - at : BigInt(most))];
    }
  }
}
