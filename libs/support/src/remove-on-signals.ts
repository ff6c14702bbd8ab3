import { rmSync } from "node:fs";

/** What ends a process that does not handle it, beside Ctrl-C. */
const SIGNALS = ["SIGTERM", "SIGHUP"] as const;
const paths = new Set<string>();
/** Those for which there is a listener of this module. */
const watched = new Set<(typeof SIGNALS)[number]>();

/**
 * Removes a file or directory that is not complete when SIGTERM or SIGHUP ends the process, which ends by that signal as it
 * would have. A signal that the program handles is left alone.
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
