import { FaultCode, toFault } from "@daos/fault";
import type { Clock } from "@daos/sys";

export interface LivenessProbeOptions {
  /** Pings the engine. Settles after any answer, or when the engine cannot be called. */
  readonly ping: (wait: { readonly signal: AbortSignal }) => Promise<void>;
  /** Called with the time since the last answer, ms; with undefined when the engine answers again. */
  readonly onUnresponsive: (ms: number | undefined) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Time between two pings, ms. */
const INTERVAL_MS = 30_000;
/** An engine with much to do still answers within a second. */
const PING_TIMEOUT_MS = 20_000;
/** Time before the next ping when the engine could not be called, ms. */
const RETRY_MS = 1_000;
/** Faults without an answer of the engine: the connection was lost, or the queue is full. */
const UNANSWERED: ReadonlySet<number> = new Set([FaultCode.drpcConnectionLost, FaultCode.drpcPeerStalled]);

/** The liveness probe of a serving engine: any reply proves that the engine is alive. @throws the signal's reason */
export async function probeLiveness(options: LivenessProbeOptions): Promise<never> {
  const { ping, onUnresponsive, clock, signal } = options;
  let unresponsiveSince: number | undefined;
  for (;;) {
    await clock.delay(INTERVAL_MS, { signal });
    const begun = clock.now();
    using limit = clock.deadline(PING_TIMEOUT_MS, "an answer of the engine", signal);
    while (!limit.signal.aborted && (await isUnanswered(ping(limit))))
      await clock.delay(RETRY_MS, limit).catch(() => {});
    signal.throwIfAborted();
    if (limit.signal.aborted) {
      unresponsiveSince ??= begun;
      onUnresponsive(clock.now() - unresponsiveSince);
    } else if (unresponsiveSince !== undefined) {
      unresponsiveSince = undefined;
      onUnresponsive(undefined);
    }
  }
}

async function isUnanswered(ping: Promise<void>): Promise<boolean> {
  try {
    await ping;
    return false;
  } catch (error) {
    return UNANSWERED.has(toFault(error).code);
  }
}
