import type { Logger } from "@daos/log";

/** Exit code after an internal error: EX_SOFTWARE of sysexits.h. */
export const EXIT_INTERNAL_ERROR = 70;

/** The engines get 10 s to stop, and what else is stopped with them less. */
const ORDERLY_STOP_MS = 60_000;

export interface LastResortOptions {
  readonly log: Logger;
  /** Stops the server in order, as SIGTERM does. */
  readonly stop: (reason: DOMException) => void;
}

/** What is left to do when the server has ended. */
export interface LastResort {
  /** True after an internal error: the process ends with {@link EXIT_INTERNAL_ERROR}. */
  readonly failed: boolean;
}

/**
 * Handles what no other code has caught, an exception or a rejected promise. It is logged with its stack, and the server
 * stops in order: its engines get SIGTERM and time to end. If that takes a minute the process ends at once, and the kernel
 * ends its engines. It does not go on, because the state of its parts is unknown then.
 */
export function installLastResort({ log, stop }: LastResortOptions): LastResort {
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
