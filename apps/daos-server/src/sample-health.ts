import type { Logger } from "@daos/log";
import { deadline, delay } from "@daos/sys";

export interface SampleHealthOptions {
  /** Looks at the devices' health and keeps it. */
  readonly scan: (options: { readonly signal: AbortSignal }) => Promise<unknown>;
  readonly log: Logger;
  /** Ends the sampling. */
  readonly signal: AbortSignal;
  /** From the end of one look to the next, ms; an hour by default. */
  readonly everyMs?: number;
}

const HOUR_MS = 3_600_000;
/** The most a look may take, ms. */
const LOOK_MS = 120_000;

/** Looks at the health of the devices now and from time to time, until it is told to stop. A look that fails is logged. */
export async function sampleHealth(options: SampleHealthOptions): Promise<void> {
  const { scan, log, signal, everyMs = HOUR_MS } = options;
  while (!signal.aborted) {
    try {
      using limit = deadline(LOOK_MS, "look at the health of the NVMe controllers", signal);
      await scan(limit);
    } catch (error) {
      if (!signal.aborted) log.warn("no sample of the controllers' health", { reason: String(error) });
    }
    await delay(everyMs, { signal }).catch(() => {});
  }
}
