import type { EventChange, EventRecord } from "@daos/member-store";

/** The events in a store. */
export class EventHistory {
  readonly #events = new Map<number, EventRecord>();

  list(): readonly EventRecord[] {
    return [...this.#events.values()].sort((a, b) => a.number - b.number);
  }

  commit({ events, from }: EventChange): void {
    for (const event of events) this.#events.set(event.number, event);
    for (const number of this.#events.keys()) if (number < from) this.#events.delete(number);
  }
}
