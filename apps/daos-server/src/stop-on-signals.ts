import type { Logger } from "@daos/log";

/**
 * Ctrl-C may arrive several times: from the terminal, and from npm and npm start, which forward it. Signals within this time
 * count as one, ms.
 */
const SAME_STOP_MS = 1_000;

/** SIGINT and SIGTERM abort `stop`; a second one ends the process at once. */
export function stopOnSignals(
  stop: AbortController,
  { log, onStop }: { readonly log: Logger; readonly onStop: () => void },
): void {
  let stoppedAt = Number.POSITIVE_INFINITY;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) {
        if (performance.now() - stoppedAt < SAME_STOP_MS) return;
        log.error(`${signal} again: ending at once; the engines end with this process`);
        process.exit(1);
      }
      stoppedAt = performance.now();
      log.info(`${signal}: stopping`);
      onStop();
      stop.abort(new DOMException(`stopped by ${signal}`, "AbortError"));
    });
  }
}
