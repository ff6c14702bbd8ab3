import { formatCelsius, formatFields, printable } from "@daos/cli";
import type { NvmeController, NvmeHealth, NvmeTrend } from "@daos/control-client";
import { countOf } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { defineCommand } from "../../../define-command.ts";
import { WATCH_FLAG } from "../../../global-flags.ts";
import { groupHosts } from "../../../output/group-hosts.ts";

/** `dmg storage query nvme-health`. @see DAOS 0.8.0 src/control/cmd/dmg/storage_query.go nvmeHealthQueryCmd */
export const nvmeHealthCommand = defineCommand({
  name: "storage query nvme-health",
  alias: "d",
  summary: "Show the health of every NVMe controller of the hosts, those with warnings first",
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
          controllers: mostWarningsFirst(value.nvme.controllers).map((controller) => {
            const { pciAddress, model, source, health = null, trend } = controller;
            return {
              pciAddress,
              model,
              source,
              warnings: warningsOf(controller),
              health,
              trend: trend === undefined ? null : { ...trend, daysLeft: trend.daysLeft ?? null },
            };
          }),
        })),
      },
      text: (columns) =>
        groupHosts(answers, ({ nvme }) => JSON.stringify(nvme.controllers))
          .map(({ label, value }) => {
            const line = "-".repeat(Math.min(columns, label.length));
            const controllers = mostWarningsFirst(value.nvme.controllers).map(showController).join("\n\n");
            return [line, label, line, controllers === "" ? "No NVMe devices found" : controllers].join("\n");
          })
          .join("\n\n"),
      anySucceeded: answers.length > 0,
      failures,
    };
  },
});

/** The warnings of a device, the worst first. */
function warningsOf({ health }: NvmeController): readonly string[] {
  if (health === undefined) return [];
  const warnings: readonly (readonly [boolean, string])[] = [
    [health.readOnlyWarning, "it has become read-only"],
    [health.reliabilityWarning, "its reliability is degraded"],
    [health.volatileMemoryWarning, "its volatile memory has lost its backup"],
    [health.availableSpareWarning, "its spare capacity is below the threshold"],
    [health.temperatureWarning, "its temperature is beyond the threshold"],
    [health.percentUsed >= 100, `${health.percentUsed}% of its rated life is used`],
  ];
  return warnings.filter(([set]) => set).map(([, text]) => text);
}

function mostWarningsFirst(controllers: readonly NvmeController[]): readonly NvmeController[] {
  return controllers.toSorted((a, b) => warningsOf(b).length - warningsOf(a).length);
}

function showController(controller: NvmeController): string {
  const { pciAddress, model, source, health, trend } = controller;
  const seen = source === "last-known" ? " (as last seen: a user-space driver has it now)" : "";
  const title = printable(`PCI:${pciAddress} Model:${model}${seen}`);
  if (health === undefined) return `${title}\n  no health log`;
  const warnings = warningsOf(controller).map((text) => `  WARNING: ${text}`);
  const fields = [...(trend === undefined ? [] : trendFields(trend)), ...healthFields(health)];
  return [title, ...warnings, formatFields(fields)].join("\n");
}

/** The changes of the health counters that are not zero. */
function trendFields(trend: NvmeTrend): readonly (readonly [string, string])[] {
  const { samples, days, mediaErrorsPerDay, errorLogEntriesPerDay, daysLeft, highestTemperatureK } = trend;
  return [
    ["Seen for", `${days.toFixed(1)} days (${countOf(samples, "sample")})`],
    ["Media errors a day", rate(mediaErrorsPerDay)],
    ["Error log entries a day", rate(errorLogEntriesPerDay)],
    ["Highest temperature", formatCelsius(highestTemperatureK)],
    ...(daysLeft === undefined
      ? []
      : [["Rated life used up in", countOf(Math.round(daysLeft), "day")] as const]),
  ];
}

function rate(perDay: number): string {
  return perDay === 0 ? "0" : perDay.toFixed(perDay < 10 ? 1 : 0);
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
    ["Rated life used", `${health.percentUsed}%`],
  ];
}
