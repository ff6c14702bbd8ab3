import { parsePciAddress } from "./pci-address.ts";

/** An object in an answer, with any fields. */
export type Json = Readonly<Record<string, unknown>>;

/** A namespace, from the target's block device. */
export interface SpdkNamespace {
  readonly bdev: string;
  /** Its name, and its aliases. */
  readonly names: readonly string[];
  readonly id: number;
  /** In bytes, with metadata that is interleaved. */
  readonly blockSize: number;
  readonly blocks: bigint;
  /** Something in the target that writes to it has claimed it: a volume store, an NVMe-oF subsystem. NBD, iSCSI, ublk do not. */
  readonly claimed: boolean;
}

/** A controller of the PCI bus that the target drives. */
export interface SpdkController {
  readonly name: string;
  readonly pciAddress: string;
  /** `enabled`, `failed`, `resetting`, ...; undefined before v22.01. */
  readonly state: string | undefined;
  /** Undefined before v24.09. */
  readonly numaNode: number | undefined;
  readonly namespaces: readonly SpdkNamespace[];
  /** Identity; undefined for a controller without namespaces, because the block devices carry it. */
  readonly identity: SpdkIdentity | undefined;
}

export interface SpdkIdentity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  /** `8086`; undefined when the answer has none. */
  readonly vendor?: string | undefined;
}

/**
 * Reads the answers of bdev_nvme_get_controllers and bdev_get_bdevs. Since v22.01 a controller has paths (`ctrlrs`) and a
 * block device has a list of them; before, both had one.
 */
export function readSpdkControllers(controllers: unknown, bdevs: unknown): readonly SpdkController[] {
  return list(controllers).flatMap((entry) => {
    const path = list(entry.ctrlrs)[0] ?? entry;
    const trid = object(path.trid);
    const address = parsePciAddress(text(trid.traddr));
    if (address === undefined || text(trid.trtype).toLowerCase() !== "pcie") return [];
    const own = list(bdevs).flatMap((bdev) => {
      const nvme = list(object(bdev.driver_specific).nvme).find(
        (of) => parsePciAddress(text(of.pci_address) || text(object(of.trid).traddr)) === address,
      );
      return nvme === undefined ? [] : [{ bdev, nvme }];
    });
    const numaNode = path.numa_id ?? entry.numa_id ?? own[0]?.bdev.numa_id;
    return {
      name: text(entry.name),
      pciAddress: address,
      state: typeof path.state === "string" ? path.state : undefined,
      numaNode: typeof numaNode === "number" && numaNode >= 0 ? numaNode : undefined,
      identity: own[0] === undefined ? undefined : readSpdkIdentity(object(own[0].nvme.ctrlr_data)),
      namespaces: own.map(({ bdev, nvme }) => ({
        bdev: text(bdev.name),
        names: [text(bdev.name), ...(Array.isArray(bdev.aliases) ? bdev.aliases.map(text) : [])],
        id: Number(count(object(nvme.ns_data).id)),
        blockSize: Number(count(bdev.block_size)),
        blocks: count(bdev.num_blocks),
        claimed: bdev.claimed === true,
      })),
    };
  });
}

/** Reads `ctrlr_data` of a block device, or the answer of bdev_nvme_get_controller_health_info. */
export function readSpdkIdentity(data: Json): SpdkIdentity {
  return {
    model: text(data.model_number),
    serial: text(data.serial_number),
    firmware: text(data.firmware_revision),
    vendor: text(data.vendor_id).replace(/^0x/, "") || undefined,
  };
}

export function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The objects of a list. A single object counts as a list of one. */
export function list(value: unknown): readonly Json[] {
  if (Array.isArray(value)) return value.map(object);
  return typeof value === "object" && value !== null ? [value as Json] : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

/** A non-negative integer; 0 for any other value. */
function count(value: unknown): bigint {
  if (typeof value === "bigint") return value < 0n ? 0n : value;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : 0n;
}
