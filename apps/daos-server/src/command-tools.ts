import { createLogger, type Logger } from "@daos/log";

/** The tools of a long-running command: warnings go to standard error, and Ctrl-C ends it. */
export async function commandTools(flags: { readonly debug: boolean }): Promise<{
  readonly log: Logger;
  readonly signal: AbortSignal;
}> {
  // Loaded here, because most commands do not need it.
  const { openLogSink } = await import("@daos/log-sink");
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stop.abort(new DOMException(`stopped by ${name}`, "AbortError")));
  }
  const level = flags.debug ? "DEBUG" : "WARN";
  const log = createLogger(openLogSink().sink, { level, component: "daos_server" });
  return { log, signal: stop.signal };
}
