import type { Logger } from "@daos/log";

/** Exit code after an internal error: EX_SOFTWARE of sysexits.h. */
export const EXIT_INTERNAL_ERROR = 70;

/** The engines get 10 s to stop, and the other parts less. */
const ORDERLY_STOP_MS = 60_000;

export interface InternalErrorOptions {
  readonly log: Logger;
  /** Stops the server in order, as SIGTERM does. */
  readonly stop: (reason: DOMException) => void;
}

/** Whether an internal error has occurred. */
export interface InternalErrors {
  /** True after an internal error: the process ends with {@link EXIT_INTERNAL_ERROR}. */
  readonly failed: boolean;
}

/**
 * Handles exceptions and rejected promises that no other code has caught. It logs the stack, and stops the server in order: the
 * engines get SIGTERM and time to end. After a minute the process ends at once, and the kernel ends its engines. The server
 * does not continue, because the state of its parts is unknown.
 */
export function handleInternalErrors({ log, stop }: InternalErrorOptions): InternalErrors {
  const state = { failed: false };
  // Node.js raises a rejection that has no handler here as well.
  process.on("uncaughtException", (error: unknown, origin) => {
    const cause = error instanceof Error ? error : new Error(String(error));
    log.error("internal error: stopping the engines in order, then this process; report it with this log", {
      origin,
      stack: cause.stack,
    });
    if (state.failed) return;
    state.failed = true;
    setTimeout(() => {
      log.error("the engines have not stopped in time: ending at once");
      process.exit(EXIT_INTERNAL_ERROR);
    }, ORDERLY_STOP_MS).unref();
    stop(new DOMException("stopped by an internal error", "AbortError"));
  });
  return state;
}
