import { SMART_LOG_BYTES } from "./smart-log.ts";

const COMMAND_BYTES = 64;
const MAX_BLOCKS = 65_536;

/** A submission queue entry. @see NVM Express Base Specification, Common Command Format */
function command(opcode: number, nsid: number, words: Readonly<Record<10 | 11 | 12, number>>): Buffer {
  const entry = Buffer.alloc(COMMAND_BYTES);
  entry.writeUInt8(opcode, 0);
  entry.writeUInt32LE(nsid, 4);
  for (const [word, value] of Object.entries(words)) entry.writeUInt32LE(value, Number(word) * 4);
  return entry;
}

function blocks(opcode: number, nsid: number, first: bigint, count: number): Buffer {
  if (count < 1 || count > MAX_BLOCKS) throw new RangeError(`${count} blocks in one command`);
  return command(opcode, nsid, {
    10: Number(first & 0xffffffffn),
    11: Number(first >> 32n),
    // Zero-based.
    12: count - 1,
  });
}

/**
 * Format NVM (admin) without secure erase. Keeps the settings in Identify Namespace: block format, transfer of metadata,
 * and protection information.
 *
 * @param identify the answer of {@link identifyNamespaceCommand}
 */
export function formatCommand(nsid: number, identify: Buffer): Buffer {
  const lbaFormat = lbaFormatOf(identify);
  const extended = (identify.readUInt8(26) >> 4) & 1;
  const protection = identify.readUInt8(29) & 0x0f;
  const settings = (lbaFormat & 0x0f) | (extended << 4) | (protection << 5) | ((lbaFormat & 0x30) << 8);
  return command(0x80, nsid, { 10: settings, 11: 0, 12: 0 });
}

/** Identify (admin) of a namespace; its answer has {@link IDENTIFY_BYTES}. */
export const identifyNamespaceCommand = (nsid: number): Buffer =>
  command(0x06, nsid, { 10: 0, 11: 0, 12: 0 });

export const IDENTIFY_BYTES = 4096;

/** Identify (admin) of the controller itself; its answer has {@link IDENTIFY_BYTES}. */
export const identifyControllerCommand = (): Buffer => command(0x06, 0, { 10: 1, 11: 0, 12: 0 });

/**
 * The maximum transfer of a command in bytes (MDTS), from the answer of Identify Controller; undefined for no limit. Its
 * unit is the minimum page of the controller, which cannot be read, so the smallest possible value, 4 KiB, is used.
 */
export function maxTransferOf(identify: Buffer): number | undefined {
  const exponent = identify.readUInt8(77);
  return exponent === 0 ? undefined : 4096 * 2 ** exponent;
}

/**
 * True when Format NVM of one namespace may change another one, from the answer of Identify Controller: it formats all (FNA),
 * and there may be others (NN, or namespace management in OACS), which a target does not show.
 */
export function formatsOthers(identify: Buffer): boolean {
  const formatsAll = (identify.readUInt8(524) & 1) !== 0;
  const managesNamespaces = (identify.readUInt16LE(256) & 8) !== 0;
  return formatsAll && (managesNamespaces || identify.readUInt32LE(516) > 1);
}

/** Get Log Page (admin) 02h, SMART / Health Information, of the whole controller. */
export const smartLogCommand = (): Buffer =>
  command(0x02, 0xffffffff, { 10: ((SMART_LOG_BYTES / 4 - 1) << 16) | 0x02, 11: 0, 12: 0 });

/** The number of the block format in use, from the answer of Identify Namespace (FLBAS). */
export function lbaFormatOf(identify: Buffer): number {
  const flbas = identify.readUInt8(26);
  // Its two highest bits are stored separately.
  return (flbas & 0x0f) | ((flbas & 0x60) >> 1);
}

/** Read (I/O). */
export const readCommand = (nsid: number, first: bigint, count: number): Buffer =>
  blocks(0x02, nsid, first, count);

/** Write Zeroes (I/O). */
export const writeZeroesCommand = (nsid: number, first: bigint, count: number): Buffer =>
  blocks(0x08, nsid, first, count);

/** The status of a completion queue entry, 0 for success; code type and code as one number. */
export function completionStatus(entry: Buffer): number {
  return entry.length < 16 ? 0x7ff : (entry.readUInt16LE(14) >> 1) & 0x7ff;
}

/**
 * Bytes as `bdev_nvme_send_cmd` takes them: base64 with the alphabet of URLs, padded. SPDK refuses a text whose length is
 * not a multiple of four, which is what Node's `base64url` makes.
 *
 * @see SPDK lib/util/base64.c spdk_base64_urlsafe_decode
 */
export function paddedBase64Url(bytes: Buffer): string {
  const text = bytes.toString("base64url");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}
