import { type Json, list, object, type SpdkNamespace, text } from "./spdk-answers.ts";
import { SpdkError } from "./spdk-connection.ts";

const METHOD_NOT_FOUND = -32601;

/** What gives block devices of a target to others without a claim, and how its answer names them. */
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
 * What a target gives to others of these namespaces, as a clause such as `the SPDK target exports Nvme0n1 as /dev/nbd0`;
 * undefined for nothing. A method that the target does not have belongs to a module that it does not have.
 *
 * @throws what the call throws
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
