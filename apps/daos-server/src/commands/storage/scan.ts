import type { NvmeController } from "@daos/bdev";
import type { ScmScan } from "@daos/scm";
import { defineCommand } from "../../define-command.ts";

/** `daos-server storage scan`: the storage devices of this host. It needs no running server. */
export const storageScanCommand = defineCommand({
  name: "storage scan",
  summary: "List the NVMe controllers and the persistent memory of this host",
  examples: [{ text: "As root, so that controllers can be read", line: "storage scan" }],
  flags: {},
  run: async ({ flags }) => {
    const { hostTools } = await import("../../host-tools.ts");
    const { scm, bdev, signal } = await hostTools(flags);
    const [memory, controllers] = await Promise.all([scm.scan({ signal }), bdev.scan({ signal })]);
    return {
      result: { nvme: controllers, scm: memory },
      lines: [...nvmeLines(controllers), "", ...scmLines(memory)],
      notes: memory.notes,
    };
  },
});

const GB = 1e9;
const gigabytes = (bytes: bigint) => `${(Number(bytes) / GB).toFixed(2)}GB`;

function nvmeLines(controllers: readonly NvmeController[]): readonly string[] {
  if (controllers.length === 0) return ["NVMe: no controllers"];
  return [
    "NVMe:",
    ...controllers.flatMap(
      ({ pciAddress, model, serial, firmware, numaNode, driver, namespaces, source }) => [
        `  ${pciAddress}  ${model}  serial ${serial}  firmware ${firmware}  NUMA node ${numaNode}  driver ${driver ?? "none"}${seenHow(source)}`,
        ...namespaces.map(({ id, size }) => `    namespace ${id}: ${gigabytes(size)}`),
      ],
    ),
  ];
}

/** Marks data that was not read from the controller in this scan. */
function seenHow(source: NvmeController["source"]): string {
  switch (source) {
    case "kernel":
    case "spdk":
      return "";
    case "last-known":
      return "  (as last seen)";
    case "pci":
      return "  (never read)";
    default:
      return source satisfies never;
  }
}

function scmLines({ modules, namespaces }: ScmScan): readonly string[] {
  if (modules.length === 0 && namespaces.length === 0) return ["SCM: no modules, no namespaces"];
  return [
    "SCM:",
    ...modules.map(
      (module) =>
        `  module ${module.physicalId}: ${gigabytes(module.capacity)}  socket ${module.socket}  memory controller ` +
        `${module.memoryController}  channel ${module.channel}  slot ${module.channelPosition}`,
    ),
    ...namespaces.map(
      ({ blockdev, dev, mode, uuid, numaNode, size }) =>
        `  /dev/${blockdev} (${dev}${mode === undefined ? "" : `, ${mode}`}): ${gigabytes(size)}  NUMA node ${numaNode}` +
        `${uuid === "" ? "" : `  uuid ${uuid}`}`,
    ),
  ];
}
