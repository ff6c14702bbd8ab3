import { type Json, list, object, type SpdkNamespace, text } from "./spdk-answers.ts";
import { SpdkError } from "./spdk-connection.ts";

const METHOD_NOT_FOUND = -32601;

/** The services of a target that export block devices without a claim, and the field with the device's name. */
const EXPORTS: readonly (readonly [string, (entry: Json) => readonly (readonly [string, string])[]])[] = [
  ["nbd_get_disks", (disk) => [[text(disk.bdev_name), text(disk.nbd_device)]]],
  ["ublk_get_disks", (disk) => [[text(disk.bdev_name), text(disk.ublk_device) || "a ublk disk"]]],
  [
    "iscsi_get_target_nodes",
    (node) => list(node.luns).map((lun) => [text(lun.bdev_name), `the iSCSI target ${text(node.name)}`]),
  ],
  [
    "vhost_get_controllers",
    (controller) => {
      const { block, scsi } = object(controller.backend_specific);
      const user = `the vhost controller ${text(controller.ctrlr)}`;
      return [
        ...list(block).map((disk) => [text(disk.bdev), user] as const),
        ...list(scsi).flatMap((target) =>
          list(target.luns).map((lun) => [text(lun.bdev_name), user] as const),
        ),
      ];
    },
  ],
];

/**
 * The exports of these namespaces, as a clause such as `the SPDK target exports Nvme0n1 as /dev/nbd0`; undefined for none.
 * A missing method means that the target does not have the module.
 *
 * @throws as {@link SpdkConnection.call}
 */
export async function findSpdkExport(
  call: (method: string) => Promise<unknown>,
  namespaces: readonly SpdkNamespace[],
): Promise<string | undefined> {
  for (const [method, read] of EXPORTS) {
    for (const [bdev, user] of list(await callIfThere(call, method)).flatMap(read)) {
      if (namespaces.some(({ names }) => names.includes(bdev)))
        return `the SPDK target exports ${bdev} as ${user}`;
    }
  }
  return undefined;
}

/** The answer; undefined when the target has no such method. */
export async function callIfThere(
  call: (method: string) => Promise<unknown>,
  method: string,
): Promise<unknown> {
  try {
    return await call(method);
  } catch (error) {
    if (error instanceof SpdkError && error.code === METHOD_NOT_FOUND) return undefined;
    throw error;
  }
}
