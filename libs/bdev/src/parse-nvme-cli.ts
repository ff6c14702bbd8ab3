import type { NvmeHealth } from "./bdev-types.ts";

/** The bits of `critical_warning`. @see NVM Express Base Specification, SMART / Health Information log page */
const WARNING = { spare: 1, temperature: 2, reliability: 4, readOnly: 8, volatile: 16 } as const;

/**
 * Reads the answer of `nvme smart-log -o json DEVICE`. Numbers of 128 bits are strings, the others are numbers; some
 * releases write `critical_warning` as an object with the bits spelled out.
 *
 * @throws SyntaxError when the text is not JSON, as after some failures
 */
export function parseSmartLog(text: string): NvmeHealth {
  const log: unknown = JSON.parse(text);
  if (typeof log !== "object" || log === null || !("temperature" in log)) {
    throw new SyntaxError(`there is no temperature in "${text.trim().slice(0, 120)}"`);
  }
  const field = (name: string): bigint => toBigInt((log as Readonly<Record<string, unknown>>)[name]);
  const warnings = Number(criticalWarning((log as Readonly<Record<string, unknown>>).critical_warning));
  return {
    temperature: Number(field("temperature")),
    temperatureWarningTime: Number(field("warning_temp_time")),
    temperatureCriticalTime: Number(field("critical_comp_time")),
    controllerBusyTime: field("controller_busy_time"),
    powerCycles: field("power_cycles"),
    powerOnHours: field("power_on_hours"),
    unsafeShutdowns: field("unsafe_shutdowns"),
    mediaErrors: field("media_errors"),
    errorLogEntries: field("num_err_log_entries"),
    temperatureWarning: (warnings & WARNING.temperature) !== 0,
    spareWarning: (warnings & WARNING.spare) !== 0,
    reliabilityWarning: (warnings & WARNING.reliability) !== 0,
    readOnlyWarning: (warnings & WARNING.readOnly) !== 0,
    volatileWarning: (warnings & WARNING.volatile) !== 0,
    percentUsed: Number(field("percent_used")),
  };
}

function criticalWarning(value: unknown): bigint {
  return typeof value === "object" && value !== null && "value" in value
    ? toBigInt(value.value)
    : toBigInt(value);
}

function toBigInt(value: unknown): bigint {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === "string" && /^\d+$/.test(value)) return BigInt(value);
  return 0n;
}
