import type { Logger } from "@daos/log";
import { deadline, delay } from "@daos/sys";

export interface SampleHealthOptions {
  /** Reads and records the devices' health. */
  readonly scan: (options: { readonly signal: AbortSignal }) => Promise<unknown>;
  readonly log: Logger;
  /** Ends the sampling. */
  readonly signal: AbortSignal;
  /** The interval from the end of one sample to the next, ms; an hour by default. */
  readonly everyMs?: number;
}

const HOUR_MS = 3_600_000;
/** The time limit of a sample, ms. */
const SAMPLE_TIMEOUT_MS = 120_000;

/**
 * Samples the health of the devices, first at once and then at an interval, until the signal aborts. A failed sample is logged.
 */
export async function sampleHealth(options: SampleHealthOptions): Promise<void> {
  const { scan, log, signal, everyMs = HOUR_MS } = options;
  while (!signal.aborted) {
    try {
      using limit = deadline(SAMPLE_TIMEOUT_MS, "sample the health of the NVMe controllers", signal);
      await scan(limit);
    } catch (error) {
      if (!signal.aborted) log.warn("no sample of the controllers' health", { reason: String(error) });
    }
    await delay(everyMs, { signal }).catch(() => {});
  }
}
