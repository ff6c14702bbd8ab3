/** How far the work on one device has come, and how long it will still take. */
export interface DeviceProgress {
  readonly device: string;
  /** `format`, `zero`, `verify`, `write`, ...: what is being done. */
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  /** At the speed so far; undefined until there is something to go by. */
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
    // The first hundredth says more about the start than about the work.
    const remainingMs =
      fraction >= 1 ? 0 : fraction < 0.01 ? undefined : Math.round((elapsedMs / fraction) * (1 - fraction));
    return { device, step, fraction, elapsedMs, remainingMs };
  };
}
