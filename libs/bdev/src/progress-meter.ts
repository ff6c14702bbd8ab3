/** Progress of the work on one device, with an estimate of the remaining time. */
export interface DeviceProgress {
  readonly device: string;
  /** The present step: `format`, `zero`, `verify`, `write`, ... */
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  /** Estimated from the rate so far, ms; undefined until there is a rate. */
  readonly remainingMs: number | undefined;
}

/** Turns fractions of one device's work into progress with an estimate. @param now milliseconds, monotonic */
export function progressMeter(
  device: string,
  now: () => number,
): (step: string, fraction: number) => DeviceProgress {
  const begin = now();
  return (step, fraction) => {
    const elapsedMs = Math.round(now() - begin);
    // The first hundredth measures the start, not the rate.
    const remainingMs =
      fraction >= 1 ? 0 : fraction < 0.01 ? undefined : Math.round((elapsedMs / fraction) * (1 - fraction));
    return { device, step, fraction, elapsedMs, remainingMs };
  };
}
