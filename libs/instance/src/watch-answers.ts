import { FaultCode, toFault } from "@daos/fault";
import type { Clock } from "@daos/sys";

export interface WatchAnswersOptions {
  /** Asks the engine for anything. Settles when it has answered, whatever it said, or when it cannot be asked. */
  readonly ask: (wait: { readonly signal: AbortSignal }) => Promise<void>;
  /** The engine has not answered for so long, ms; undefined when it answers again. */
  readonly onSilence: (ms: number | undefined) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Time between two questions, ms. The real engine writes a line into its log for each. */
const INTERVAL_MS = 30_000;
/** An engine with much to do still answers within a second. */
const ANSWER_MS = 20_000;
/** Time before one that could not be asked is asked again, ms. */
const AGAIN_MS = 1_000;
/** No answer, but the loss of the connection or a full queue. */
const UNHEARD: ReadonlySet<number> = new Set([FaultCode.drpcConnectionLost, FaultCode.drpcPeerStalled]);

/** Asks a serving engine again and again whether it still answers. @throws the signal's reason */
export async function watchAnswers(options: WatchAnswersOptions): Promise<never> {
  const { ask, onSilence, clock, signal } = options;
  let since: number | undefined;
  for (;;) {
    await clock.delay(INTERVAL_MS, { signal });
    const asked = clock.now();
    using limit = clock.deadline(ANSWER_MS, "an answer of the engine", signal);
    while (!limit.signal.aborted && (await isUnheard(ask(limit))))
      await clock.delay(AGAIN_MS, limit).catch(() => {});
    signal.throwIfAborted();
    if (limit.signal.aborted) {
      since ??= asked;
      onSilence(clock.now() - since);
    } else if (since !== undefined) {
      since = undefined;
      onSilence(undefined);
    }
  }
}

async function isUnheard(asking: Promise<void>): Promise<boolean> {
  try {
    await asking;
    return false;
  } catch (error) {
    return UNHEARD.has(toFault(error).code);
  }
}
