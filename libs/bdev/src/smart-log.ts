import type { NvmeHealth } from "./bdev-types.ts";

/** The length of the SMART / Health Information log page. */
export const SMART_LOG_BYTES = 512;
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * Reads log page 02h. Counters above 64 bits become 2^64 - 1.
 *
 * @see NVM Express Base Specification, SMART / Health Information
 */
export function readSmartLog(page: Buffer): NvmeHealth {
  const counter = (offset: number) =>
    page.readBigUInt64LE(offset + 8) === 0n ? page.readBigUInt64LE(offset) : MAX_UINT64;
  const warnings = page.readUInt8(0);
  return {
    temperature: page.readUInt16LE(1),
    temperatureWarningTime: page.readUInt32LE(192),
    temperatureCriticalTime: page.readUInt32LE(196),
    controllerBusyTime: counter(96),
    powerCycles: counter(112),
    powerOnHours: counter(128),
    unsafeShutdowns: counter(144),
    mediaErrors: counter(160),
    errorLogEntries: counter(176),
    spareWarning: (warnings & 1) !== 0,
    temperatureWarning: (warnings & 2) !== 0,
    reliabilityWarning: (warnings & 4) !== 0,
    readOnlyWarning: (warnings & 8) !== 0,
    volatileWarning: (warnings & 16) !== 0,
    percentUsed: page.readUInt8(5),
  };
}
