/**
 * Monotonic time, ms. As `performance.now()`, whose first use in a process costs 2 ms: it loads node:perf_hooks, which a command
 * of dmg needs for nothing else.
 */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
