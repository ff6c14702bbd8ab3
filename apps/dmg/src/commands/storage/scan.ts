import { formatSize, formatTable } from "@daos/cli";
import type { NvmeController, StorageScan } from "@daos/control-client";
import { countOf } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../define-command.ts";
import { groupHosts } from "../../output/group-hosts.ts";

/** `dmg storage scan`. @see DAOS 0.8.0 src/control/cmd/dmg/storage.go storageScanCmd */
export const storageScanCommand = defineCommand({
  name: "storage scan",
  alias: "s",
  summary: "List the SCM and NVMe devices of the hosts",
  examples: [
    { text: "All hosts", line: "-l node[1-8] storage scan" },
    { text: "Every module, namespace and controller", line: "storage scan -v" },
  ],
  flags: {
    verbose: { type: "boolean", char: "v", summary: "list every device" },
  },
  run: async ({ flags, connect, collect }) => {
    const { client } = await connect();
    const { storageScan } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, storageScan(client), ({ scm, nvme }) =>
      [scm.fault, nvme.fault].filter((fault) => fault !== undefined),
    );
    return {
      result: {
        hosts: answers.map(({ host, value: { scm, nvme } }) => ({
          host: formatHostAddress(host),
          scm: { modules: scm.modules, namespaces: scm.namespaces },
          nvme: {
            controllers: nvme.controllers.map(({ health = null, trend, driver = null, ...rest }) => ({
              ...rest,
              driver,
              health,
              trend: trend === undefined ? null : { ...trend, daysLeft: trend.daysLeft ?? null },
            })),
          },
        })),
      },
      text: (columns) => showScan(answers, flags.verbose, columns),
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});

type Answers = Parameters<typeof groupHosts<StorageScan>>[0];

function showScan(answers: Answers, verbose: boolean, width: number): string {
  const groups = groupHosts(answers, (scan) => (verbose ? verboseKey(scan) : summaryOf(scan).join("|")));
  if (groups.length === 0) return "";
  if (!verbose) {
    const rows = groups.map(({ label, value }) => [label, ...summaryOf(value)]);
    return formatTable({ columns: ["Hosts", "SCM Total", "NVMe Total"], rows }, width);
  }
  return groups
    .map(({ label, value }) => {
      const line = "-".repeat(Math.min(width, label.length));
      return [line, label, line, showScm(value, width), "", showNvme(value, width)].join("\n");
    })
    .join("\n\n");
}

/** Hosts with the same hardware are shown together, although their names differ. */
function verboseKey({ scm, nvme }: StorageScan): string {
  return JSON.stringify([
    scm.modules,
    scm.namespaces.map(({ blockDevice, numaNode, sizeBytes, mode, engine }) => [
      blockDevice,
      numaNode,
      sizeBytes,
      mode,
      engine,
    ]),
    nvme.controllers.map(({ pciAddress, model, firmware, socket, namespaces, engine, source }) => [
      pciAddress,
      model,
      firmware,
      socket,
      namespaces,
      engine,
      isAsked(source),
    ]),
  ]);
}

/** Namespaces are shown when there are any: prepared modules are used through their namespaces. */
function summaryOf({ scm, nvme }: StorageScan): [scm: string, nvme: string] {
  const total = (sizes: readonly number[]) => formatSize(sizes.reduce((sum, size) => sum + size, 0));
  const scmText =
    scm.namespaces.length > 0
      ? `${total(scm.namespaces.map(({ sizeBytes }) => sizeBytes))} (${countOf(scm.namespaces.length, "namespace")})`
      : `${total(scm.modules.map(({ capacityBytes }) => capacityBytes))} (${countOf(scm.modules.length, "module")})`;
  return [
    scmText,
    `${total(nvme.controllers.map(controllerBytes))} (${countOf(nvme.controllers.length, "controller")})`,
  ];
}

/** Whole GB, as in release 0.8.0. There, a device below one GB is 0; other servers report its size. */
function controllerBytes({ namespaces }: NvmeController): number {
  return namespaces.reduce(
    (sum, { sizeGB, sizeBytes = 0 }) => sum + (sizeGB === 0 ? sizeBytes : sizeGB * 1024 ** 3),
    0,
  );
}

function capacityCell(controller: NvmeController): string {
  const bytes = controllerBytes(controller);
  return bytes === 0 && controller.namespaces.length > 0 ? "<1.00GB" : formatSize(bytes);
}

/** A controller without namespaces serves an engine too. */
function enginesOf({ engine, namespaces }: NvmeController): readonly (number | undefined)[] {
  return [engine, ...namespaces.map((namespace) => namespace.engine)];
}

/** Servers of release 0.8.0 do not say which engine uses a device. The column is then omitted. */
function engineCell(engines: readonly (number | undefined)[]): string {
  const known = [...new Set(engines)].filter((engine) => engine !== undefined);
  return known.length === 0 ? "-" : known.join(", ");
}

function isAsked(source: NvmeController["source"]): boolean {
  return source !== "last-known" && source !== "pci";
}

function showScm({ scm }: StorageScan, width: number): string {
  if (scm.namespaces.length > 0) {
    const allocated = scm.namespaces.some(({ engine }) => engine !== undefined);
    // An engine can use fsdax only, so the mode is shown when there is another one.
    const hasOthers = scm.namespaces.some(({ mode = "fsdax" }) => mode !== "fsdax");
    const rows = scm.namespaces.map(({ blockDevice, numaNode, sizeBytes, mode, engine }) => [
      blockDevice,
      `${numaNode}`,
      formatSize(sizeBytes),
      ...(hasOthers ? [mode ?? "-"] : []),
      ...(allocated ? [engineCell([engine])] : []),
    ]);
    const columns = [
      ...["SCM Namespace", "Socket ID", "Capacity"],
      ...(hasOthers ? ["Mode"] : []),
      ...(allocated ? ["Engine"] : []),
    ];
    return formatTable({ columns, rows }, width);
  }
  if (scm.modules.length === 0) return "No SCM modules found";
  const rows = scm.modules.map((module) => [
    `${module.physicalId}`,
    `${module.socket}`,
    `${module.memoryController}`,
    `${module.channel}`,
    `${module.slot}`,
    formatSize(module.capacityBytes),
  ]);
  const columns = ["SCM Module ID", "Socket ID", "Memory Ctrlr ID", "Channel ID", "Channel Slot", "Capacity"];
  return formatTable({ columns, rows }, width);
}

function showNvme({ nvme }: StorageScan, width: number): string {
  const { controllers } = nvme;
  if (controllers.length === 0) return "No NVMe devices found";
  const allocated = controllers.some((controller) =>
    enginesOf(controller).some((engine) => engine !== undefined),
  );
  const remembered = controllers.some(({ source }) => !isAsked(source));
  const rows = controllers.map((controller) => [
    controller.pciAddress,
    controller.model,
    controller.firmware,
    `${controller.socket}`,
    capacityCell(controller),
    ...(allocated ? [engineCell(enginesOf(controller))] : []),
    ...(remembered ? [KNOWN[controller.source]] : []),
  ]);
  const columns = [
    ...["NVMe PCI", "Model", "FW Revision", "Socket ID", "Capacity"],
    ...(allocated ? ["Engine"] : []),
    ...(remembered ? ["Known"] : []),
  ];
  return formatTable({ columns, rows }, width);
}

/**
 * Whether the health was read from the controller, or is the last known one because a user-space driver has the
 * controller.
 */
const KNOWN: Readonly<Record<NvmeController["source"], string>> = {
  unknown: "now",
  kernel: "now",
  spdk: "now",
  "last-known": "as last seen",
  pci: "by its bus only",
};
