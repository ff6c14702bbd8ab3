import { createLogger, type Logger } from "@daos/log";
import { openLogSink } from "@daos/log-sink";
import { ProcessCommandRunner } from "@daos/sys";
import { stateDirectories } from "./state-directory.ts";
import { type StorageProviders, storageProviders } from "./storage-providers.ts";

/** What a command that looks at this host once works with; warnings go to standard error. */
export async function hostTools(flags: {
  readonly debug: boolean;
  readonly config: string;
}): Promise<StorageProviders & { readonly log: Logger; readonly signal: AbortSignal }> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stop.abort(new DOMException(`stopped by ${name}`, "AbortError")));
  }
  const level = flags.debug ? "DEBUG" : "WARN";
  const log = createLogger(openLogSink().sink, { level, component: "daos_server" });
  const providers = await storageProviders({
    runner: new ProcessCommandRunner(),
    log,
    stateDirectories: stateDirectories(flags.config, undefined),
    signal: stop.signal,
  });
  return { ...providers, log, signal: stop.signal };
}

/** JSON text of a result; sizes beyond 2^53 are exact as strings. */
export function toJson(result: unknown): string {
  return JSON.stringify(
    result,
    (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value),
    2,
  );
}
