import { formatCelsius, formatFields, printable } from "@daos/cli";
import type { BlobstoreHealth } from "@daos/control-client";

/** The counters and warnings of one device. */
export function showHealth(health: BlobstoreHealth): string {
  const flag = (set: boolean) => (set ? "WARNING" : "ok");
  const fields = [
    ["Read errors", `${health.readErrors}`],
    ["Write errors", `${health.writeErrors}`],
    ["Unmap errors", `${health.unmapErrors}`],
    ["Checksum errors", `${health.checksumErrors}`],
    ["Media errors", `${health.mediaErrors}`],
    ["Error log entries", `${health.errorCount}`],
    ["Temperature", formatCelsius(health.temperatureK)],
    ["Temperature state", flag(health.temperatureWarning)],
    ["Available spare", flag(health.availableSpareWarning)],
    ["Device reliability", flag(health.reliabilityWarning)],
    ["Read only", flag(health.readOnlyWarning)],
    ["Volatile memory backup", flag(health.volatileMemoryWarning)],
  ] as const;
  return `Device UUID: ${printable(health.deviceUuid)}\n${formatFields(fields)}`;
}
