import type { NvmeController, NvmeHealth } from "./bdev-types.ts";

/** The warnings of a device, one clause each, worst first; empty for a healthy device. */
export function healthWarnings(health: NvmeHealth): readonly string[] {
  const warnings: (readonly [boolean, string])[] = [
    [health.readOnlyWarning, "it has become read-only"],
    [health.reliabilityWarning, "its reliability is degraded"],
    [health.volatileWarning, "its volatile memory has lost its backup"],
    [health.spareWarning, "its spare capacity is below the threshold"],
    [health.temperatureWarning, "its temperature is beyond the threshold"],
    [health.percentUsed >= 100, `${health.percentUsed}% of its rated life is used`],
  ];
  return warnings.filter(([set]) => set).map(([, text]) => text);
}

/** Controllers for a report: those with warnings first, the most warnings at the top, then by address. */
export function byWarnings(controllers: readonly NvmeController[]): readonly NvmeController[] {
  const count = ({ health }: NvmeController) => (health === undefined ? 0 : healthWarnings(health).length);
  return controllers.toSorted(
    (a, b) => count(b) - count(a) || a.pciAddress.localeCompare(b.pciAddress, "en"),
  );
}

/** One reading of a device's counters. */
export interface HealthSample {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** In kelvin. */
  readonly temperature: number;
  readonly mediaErrors: number;
  readonly errorLogEntries: number;
  readonly unsafeShutdowns: number;
  readonly percentUsed: number;
  readonly warnings: number;
}

/** How a device has changed between the first and the last sample. */
export interface HealthTrend {
  readonly samples: number;
  readonly days: number;
  readonly mediaErrorsPerDay: number;
  readonly errorLogEntriesPerDay: number;
  /** Days until the rated life is used up at the present rate; undefined when the rate is 0. */
  readonly daysLeft: number | undefined;
  /** In kelvin. */
  readonly highestTemperature: number;
}

const DAY_MS = 86_400_000;

/** The trend of samples, oldest first; undefined for fewer than two samples, or samples of the same time. */
export function healthTrend(samples: readonly HealthSample[]): HealthTrend | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const days = (Date.parse(last.time) - Date.parse(first.time)) / DAY_MS;
  if (!(days > 0)) return undefined;
  const usedPerDay = (last.percentUsed - first.percentUsed) / days;
  return {
    samples: samples.length,
    days,
    mediaErrorsPerDay: (last.mediaErrors - first.mediaErrors) / days,
    errorLogEntriesPerDay: (last.errorLogEntries - first.errorLogEntries) / days,
    daysLeft: usedPerDay > 0 ? Math.max(0, (100 - last.percentUsed) / usedPerDay) : undefined,
    highestTemperature: Math.max(...samples.map(({ temperature }) => temperature)),
  };
}

/** The sample of a reading at `time`. */
export function sampleOf(health: NvmeHealth, time: Date): HealthSample {
  return {
    time: time.toISOString(),
    temperature: health.temperature,
    mediaErrors: Number(health.mediaErrors),
    errorLogEntries: Number(health.errorLogEntries),
    unsafeShutdowns: Number(health.unsafeShutdowns),
    percentUsed: health.percentUsed,
    warnings: healthWarnings(health).length,
  };
}
