import { toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { MemberStore } from "@daos/member-store";
import type { SystemEvents } from "@daos/membership";
import type { Clock } from "@daos/sys";

interface Wait {
  readonly signal: AbortSignal;
}

export interface KeepEventsOptions extends Wait {
  readonly store: Pick<MemberStore, "commitEvents">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Maximum time from an event to its write to the store, ms. */
const SAVE_MS = 1_000;
/** Time before a store that has refused is tried again, ms. */
const RETRY_MS = 10_000;
/** Maximum number of events in one write: half a MiB at most. */
const BATCH = 400;

/**
 * Writes the events of the leader to the store, many at once. While the store cannot be written, no event is lost as
 * long as the memory still holds the first event that the store lacks.
 *
 * @throws the reason of the signal
 */
export async function keepEvents(
  events: SystemEvents,
  { store, clock, log, signal }: KeepEventsOptions,
): Promise<never> {
  let failed = false;
  for (;;) {
    await clock.delay(failed ? RETRY_MS : SAVE_MS, { signal });
    try {
      await saveEvents(events, store, { signal });
      if (failed) log.info("events are kept in the store again");
      failed = false;
    } catch (error) {
      signal.throwIfAborted();
      if (!failed)
        log.warn("events cannot be kept in the store; they stay in memory, and the server tries again", {
          fault: toFault(error),
        });
      failed = true;
    }
  }
}

/** Writes the events that the store lacks. @throws Fault of the store */
export async function saveEvents(
  events: SystemEvents,
  store: Pick<MemberStore, "commitEvents">,
  wait: Wait,
): Promise<void> {
  for (;;) {
    const change = events.unsaved(BATCH);
    const last = change.events.at(-1);
    if (last === undefined) return;
    await store.commitEvents(change, wait);
    events.saved(last.number);
  }
}
