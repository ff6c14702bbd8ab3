import { rmSync } from "node:fs";

/** The signals, besides SIGINT, that end a process that does not handle them. */
const SIGNALS = ["SIGTERM", "SIGHUP"] as const;
const paths = new Set<string>();
/** The signals for which this module has a listener. */
const watched = new Set<(typeof SIGNALS)[number]>();

/**
 * Removes an incomplete file or directory when SIGTERM or SIGHUP ends the process. The process still ends by that
 * signal. A signal that the program handles is left alone.
 */
export function removeOnSignals(path: string): Disposable {
  if (paths.size === 0) {
    for (const name of SIGNALS) {
      if (process.listenerCount(name) > 0) continue;
      process.on(name, removeAndEnd);
      watched.add(name);
    }
  }
  paths.add(path);
  return {
    [Symbol.dispose]: () => {
      paths.delete(path);
      if (paths.size === 0) unwatch();
    },
  };
}

function removeAndEnd(name: NodeJS.Signals): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 2 });
  unwatch();
  process.kill(process.pid, name);
}

function unwatch(): void {
  for (const name of watched) process.off(name, removeAndEnd);
  watched.clear();
}
