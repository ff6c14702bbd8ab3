import type { SysTree } from "@daos/sys";

const BLOCK = "/sys/class/block";
/** `uuid:55bedf6f-a14a-429c-b65a-b764e01892cf` */
const BY_UUID = /^uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** The block device of a namespace, and the uuid that identifies the namespace. */
export interface PmemDevice {
  /** `/dev/pmem0`; it may change at a reboot. */
  readonly path: string;
  /** Lower case; as `ndctl list` and udev's `/dev/disk/by-id/pmem-UUID` have it. */
  readonly uuid: string;
}

/** The uuid in a device name such as `uuid:55bedf6f-a14a-429c-b65a-b764e01892cf`, in lower case; undefined for a path. */
export function namespaceUuid(device: string): string | undefined {
  return BY_UUID.exec(device)?.[1]?.toLowerCase();
}

/** The block devices of all namespaces with a label. Those without one have no identity. */
export async function listPmemDevices(sys: SysTree): Promise<readonly PmemDevice[]> {
  const names = (await sys.list(BLOCK)).filter((name) => /^pmem\d+(?:\.\d+)?s?$/.test(name));
  const devices = await Promise.all(
    names.map(async (name) => {
      const uuid = await sys.read(`${BLOCK}/${name}/device/uuid`);
      return uuid === undefined || uuid === "" ? [] : [{ path: `/dev/${name}`, uuid: uuid.toLowerCase() }];
    }),
  );
  return devices.flat();
}

/**
 * Whether the kernel can map a block device's memory; undefined when the kernel does not report it.
 *
 * @param device `/dev/pmem0`
 */
export async function supportsDax(sys: SysTree, device: string): Promise<boolean | undefined> {
  const answer = await sys.read(`${BLOCK}/${device.replace(/^\/dev\//, "")}/queue/dax`);
  return answer === undefined ? undefined : answer === "1";
}
