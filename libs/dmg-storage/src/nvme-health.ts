import type { NvmeController, NvmeHealth } from "@daos/control-client";
import { defineCommand, formatCelsius, formatFields, groupHosts, WATCH_FLAG } from "@daos/dmg-kit";
import { formatHostAddress } from "@daos/hostlist";

/** `dmg storage query nvme-health`. @see DAOS 0.8.0 src/control/cmd/dmg/storage_query.go nvmeHealthQueryCmd */
export const nvmeHealthCommand = defineCommand({
  name: "storage query nvme-health",
  alias: "d",
  summary: "Show the health log of every NVMe controller of the hosts",
  examples: [{ text: "All hosts", line: "-l node[1-8] storage query nvme-health" }],
  flags: { watch: WATCH_FLAG },
  run: async ({ connect, collect }) => {
    const { client } = await connect();
    const { storageScan } = await import("@daos/control-client");
    const { answers, failures } = await collect(client, storageScan(client), ({ nvme }) =>
      nvme.fault === undefined ? [] : [nvme.fault],
    );
    return {
      result: {
        hosts: answers.map(({ host, value }) => ({
          host: formatHostAddress(host),
          controllers: value.nvme.controllers.map(({ pciAddress, model, health = null }) => ({
            pciAddress,
            model,
            health,
          })),
        })),
      },
      text: (columns) =>
        groupHosts(answers, ({ nvme }) => JSON.stringify(nvme.controllers))
          .map(({ label, value }) => {
            const line = "-".repeat(Math.min(columns, label.length));
            const controllers = value.nvme.controllers.map(showController).join("\n\n");
            return [line, label, line, controllers === "" ? "No NVMe devices found" : controllers].join("\n");
          })
          .join("\n\n"),
      anyWell: answers.length > 0,
      failures,
    };
  },
});

function showController({ pciAddress, model, health }: NvmeController): string {
  const title = `PCI:${pciAddress} Model:${model}`;
  return health === undefined
    ? `${title}\n  no health log`
    : `${title}\n${formatFields(healthFields(health))}`;
}

function healthFields(health: NvmeHealth): readonly (readonly [string, string])[] {
  const flag = (set: boolean) => (set ? "WARNING" : "ok");
  return [
    ["Temperature", formatCelsius(health.temperatureK)],
    ["Time above warning temperature", `${health.temperatureWarningMinutes}m`],
    ["Time above critical temperature", `${health.temperatureCriticalMinutes}m`],
    ["Controller busy", `${health.controllerBusyMinutes}m`],
    ["Power cycles", `${health.powerCycles}`],
    ["Power on", `${health.powerOnHours}h`],
    ["Unsafe shutdowns", `${health.unsafeShutdowns}`],
    ["Media errors", `${health.mediaErrors}`],
    ["Error log entries", `${health.errorLogEntries}`],
    ["Temperature state", flag(health.temperatureWarning)],
    ["Available spare", flag(health.availableSpareWarning)],
    ["Device reliability", flag(health.reliabilityWarning)],
    ["Read only", flag(health.readOnlyWarning)],
    ["Volatile memory backup", flag(health.volatileMemoryWarning)],
  ];
}
