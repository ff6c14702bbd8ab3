/** A controller of a `FakeSpdkTarget`, with one namespace. */
export interface FakeSpdkController {
  readonly address: string;
  readonly serial: string;
  readonly contents: Buffer;
  /** 512 by default. */
  readonly blockSize?: number;
  readonly namespaceId?: number;
  readonly numaNode?: number;
  readonly withoutNamespaces?: boolean;
  /** True for a controller that the target does not drive yet. */
  detached?: boolean;
  /** By a volume or an NVMe-oF subsystem. */
  claimed?: boolean;
  /** The name of an lvolstore on it, which claims it. */
  lvolstore?: string;
  /** Used without a claim. */
  exported?: "nbd" | "iscsi" | "ublk" | "vhost-blk" | "vhost-scsi";
  /** Composite temperature, 323 by default. */
  kelvin?: number;
  criticalWarning?: number;
  /** MDTS in powers of two of 4 KiB, as Identify Controller has it; 0, no limit, by default. */
  mdts?: number;
  /** Bit 0 of FNA: a format of one namespace formats all. */
  formatsAll?: boolean;
  /** NN of Identify Controller; 1 by default. */
  maxNamespaces?: number;
  /** Namespaces can be created and detached. */
  managesNamespaces?: boolean;
  /** Commands to the drive are answered when it resolves. */
  hang?: Promise<void>;
}

const FORMAT_NVM = 0x80;
const IDENTIFY = 0x06;
/** Admin. */
const GET_LOG_PAGE = 0x02;
/** I/O. */
const READ = 0x02;
const WRITE_ZEROES = 0x08;

const INVALID_OPCODE = 0x01;
/** With DNR, as QEMU's controller answers. */
const INVALID_FIELD = 0x4002;
const LBA_OUT_OF_RANGE = 0x80;
const INVALID_FORMAT = 0x10a;

/** The part of the target that a drive uses. */
interface DriveTarget {
  readonly lbaFormat: number;
  readonly formatStatus: number;
  readonly onFormat: (controller: FakeSpdkController) => void;
  readonly reads: number[];
}

/** Executes raw commands as a controller of QEMU does behind a target. */
export class FakeSpdkDrive {
  readonly #target: DriveTarget;
  readonly #controller: FakeSpdkController;

  constructor(target: DriveTarget, controller: FakeSpdkController) {
    this.#target = target;
    this.#controller = controller;
  }

  execute(params: Readonly<Record<string, unknown>>, entry: Buffer): { cpl: string; data?: string } {
    const opcode = entry.readUInt8(0);
    const length = Number(params.data_len ?? 0);
    return params.cmd_type === "admin" ? this.#admin(opcode, entry, length) : this.#io(opcode, entry, length);
  }

  #admin(opcode: number, entry: Buffer, length: number): { cpl: string; data?: string } {
    const dword10 = entry.readUInt32LE(40);
    switch (opcode) {
      case FORMAT_NVM:
        // Another block format would change the block size.
        if ((dword10 & 0x0f) !== this.#target.lbaFormat) return { cpl: completion(INVALID_FORMAT) };
        if (this.#target.formatStatus === 0) this.#target.onFormat(this.#controller);
        return { cpl: completion(this.#target.formatStatus) };
      case IDENTIFY: {
        const identify = Buffer.alloc(length);
        if ((dword10 & 0xff) === 1) {
          const {
            mdts = 0,
            formatsAll = false,
            managesNamespaces = false,
            maxNamespaces = 1,
          } = this.#controller;
          identify.writeUInt8(mdts, 77);
          identify.writeUInt16LE(managesNamespaces ? 10 : 2, 256);
          identify.writeUInt32LE(maxNamespaces, 516);
          identify.writeUInt8(formatsAll ? 1 : 0, 524);
        } else identify.writeUInt8(this.#target.lbaFormat & 0x0f, 26);
        return answer(identify);
      }
      case GET_LOG_PAGE:
        return (dword10 & 0xff) === 0x02
          ? answer(this.#smartLog().subarray(0, length))
          : { cpl: completion(INVALID_FIELD) };
      default:
        return { cpl: completion(INVALID_OPCODE) };
    }
  }

  #smartLog(): Buffer {
    const page = Buffer.alloc(512);
    page.writeUInt8(this.#controller.criticalWarning ?? 0, 0);
    page.writeUInt16LE(this.#controller.kelvin ?? 323, 1);
    page.writeBigUInt64LE(3n, 112);
    page.writeBigUInt64LE(7n, 128);
    return page;
  }

  #io(opcode: number, entry: Buffer, length: number): { cpl: string; data?: string } {
    const { contents, blockSize = 512, mdts = 0, namespaceId = 1 } = this.#controller;
    const from = Number(entry.readBigUInt64LE(40)) * blockSize;
    const to = from + (entry.readUInt16LE(48) + 1) * blockSize;
    if (entry.readUInt32LE(4) !== namespaceId) return { cpl: completion(0x0b) };
    if (to > contents.length) return { cpl: completion(LBA_OUT_OF_RANGE) };
    if (opcode === READ) {
      this.#target.reads.push(length);
      // Raw commands are not split.
      if (length !== to - from || (mdts > 0 && length > 4096 * 2 ** mdts))
        return { cpl: completion(INVALID_FIELD) };
      return answer(contents.subarray(from, to));
    }
    if (opcode !== WRITE_ZEROES) return { cpl: completion(INVALID_OPCODE) };
    contents.fill(0, from, to);
    return { cpl: completion(0) };
  }
}

/** The name under which the target has a controller. */
export function nameOf({ serial }: FakeSpdkController): string {
  return `Nvme_${serial}`;
}

function answer(data: Buffer): { cpl: string; data: string } {
  return { cpl: completion(0), data: padded(data) };
}

function completion(status: number): string {
  const entry = Buffer.alloc(16);
  entry.writeUInt16LE((status << 1) & 0xffff, 14);
  return padded(entry);
}

/** SPDK answers with padding. */
function padded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
