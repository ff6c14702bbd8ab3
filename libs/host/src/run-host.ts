import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import type { EngineReporter } from "@daos/member-agent";

export interface HostParts {
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly reporter: EngineReporter;
  /** Its rejection ends the host. */
  readonly fatal: Promise<never>;
  readonly provisionOnly: boolean;
}

/**
 * Runs the engines, this host's part in the election and its reports until `signal` aborts. When one part ends, the
 * others end too.
 *
 * @throws the reason for which a part ended by itself
 */
export async function runHost(host: HostParts, signal: AbortSignal): Promise<void> {
  const { harness, leadership, reporter, fatal, provisionOnly } = host;
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const parts = [
    harness.run(until),
    // It leads until its own last report has been handled.
    ...(provisionOnly ? [] : [leadership.run(ended.signal), reporter.run(until)]),
  ];
  try {
    await Promise.race([...parts, fatal]);
  } finally {
    if (signal.aborted && !provisionOnly) {
      await reporter.goingDown();
      await leadership.saveEvents();
    }
    ended.abort(new DOMException("the server ends", "AbortError"));
    await Promise.allSettled(parts);
  }
}
