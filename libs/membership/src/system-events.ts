import { cleanText } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { type Logger, limitRepeats } from "@daos/log";
import type { EventRecord } from "@daos/member-store";
import { MAX_REASON } from "@daos/security";
import type { Clock } from "@daos/sys";

/** Named after DAOS's RAS events where the same thing happens. @see DAOS 2.x docs/admin/administration.md */
export type SystemEventKind =
  | "leader_changed"
  | "member_joined"
  /** A known engine has joined again. */
  | "member_restarted"
  | "member_stopped"
  /** RAS: its engine died, or could not be started. */
  | "engine_died"
  /** RAS: no reports come from its host. */
  | "swim_rank_dead"
  /** RAS: its host reports again, and it serves as before. */
  | "swim_rank_alive"
  | "member_excluded"
  | "member_exclusion_cleared"
  | "member_erased"
  /** Its place on its host has another rank: its storage was formatted. */
  | "member_replaced"
  /** Its host reports from another address. */
  | "member_moved"
  /** RAS: an administrator's start did not start every rank. */
  | "system_start_failed"
  /** RAS: an administrator's stop did not stop every rank. */
  | "system_stop_failed"
  | "device_warning"
  /** A stored member cannot be read: it was set aside. */
  | "member_unreadable";

/** Something that happened in the system. */
export type SystemEvent = EventRecord;

const SEVERITY: Readonly<Record<SystemEventKind, SystemEvent["severity"]>> = {
  leader_changed: "notice",
  member_joined: "notice",
  member_restarted: "notice",
  member_stopped: "notice",
  engine_died: "error",
  // A notice in DAOS 2.x, which rebuilds. Here the data on that rank is out of reach.
  swim_rank_dead: "error",
  swim_rank_alive: "notice",
  member_excluded: "warning",
  member_exclusion_cleared: "notice",
  member_erased: "warning",
  member_replaced: "warning",
  member_moved: "warning",
  system_start_failed: "error",
  system_stop_failed: "error",
  device_warning: "warning",
  member_unreadable: "error",
};

const LEVEL = { notice: "info", warning: "warn", error: "error" } as const;

/** Maximum length of an event's message, in characters: the reason of a member and its context. */
const MAX_EVENT = MAX_REASON + 256;
/** How many events are kept. */
const KEPT = 4096;
/** Maximum characters of all messages that are kept, and how many the other fields of one event count for. */
const KEPT_CHARACTERS = 1024 * 1024;
const FIELDS = 128;
/** Lines of each kind that are logged in a minute; hosts can join and report without limit. */
const LINES = 600;

/** The events that are not stored yet, and the number of the first event to keep. */
interface UnsavedEvents {
  readonly events: readonly SystemEvent[];
  readonly from: number;
}

/**
 * The latest events of the system, each also a line of the log, unless there are far too many of its kind. Events of
 * former leaders, which the store has, come first. Events that are not stored yet are kept until they are, as long as
 * there is room.
 */
export class SystemEvents {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #kept: SystemEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #last = 0;
  #characters = 0;
  /** The largest number that the store has. */
  #saved = 0;

  constructor(options: { readonly log: Logger; readonly clock: Clock }) {
    this.#log = limitRepeats(options.log, { lines: LINES, kindOf: (_, { event }) => String(event) });
    this.#clock = options.clock;
  }

  add(kind: SystemEventKind, text: string, about: Pick<SystemEvent, "rank" | "uuid" | "address"> = {}): void {
    const severity = SEVERITY[kind];
    const message = cleanText(text, MAX_EVENT);
    const time = Math.round(this.#clock.wallTime());
    this.#keep({ number: ++this.#last, time, kind, severity, message, ...about });
    const address = about.address === undefined ? {} : { address: formatHostAddress(about.address) };
    this.#log[LEVEL[severity]](message, { event: kind, ...about, ...address });
    for (const wake of this.#listeners) wake();
  }

  /**
   * Puts the stored events before those of this term so far, which get new numbers. Call it before any reader starts.
   */
  restore(stored: readonly SystemEvent[]): void {
    const added = this.#kept.splice(0);
    this.#characters = 0;
    this.#last = stored.at(-1)?.number ?? 0;
    this.#saved = this.#last;
    for (const event of stored) this.#keep(event);
    for (const event of added) this.#keep({ ...event, number: ++this.#last });
  }

  /** The events that are not stored yet, oldest first. @param limit maximum number of events */
  unsaved(limit: number): UnsavedEvents {
    const events = this.list(this.#saved).slice(0, limit);
    return { events, from: this.#kept[0]?.number ?? this.#last + 1 };
  }

  /** Records that the store has the events up to this number. */
  saved(number: number): void {
    this.#saved = Math.max(this.#saved, number);
  }

  /** The kept events with a larger number than `after`, oldest first. */
  list(after = 0): readonly SystemEvent[] {
    return this.#kept.filter(({ number }) => number > after);
  }

  /** As {@link list}, and then each as it happens, until `signal` aborts. */
  async *follow(after: number, options: { readonly signal: AbortSignal }): AsyncGenerator<SystemEvent> {
    const { signal } = options;
    // The caller's number may come from another leader that had more events.
    let seen = Math.min(after, this.#last);
    let wake = () => {};
    const onChange = () => wake();
    this.#listeners.add(onChange);
    signal.addEventListener("abort", onChange, { once: true });
    try {
      while (!signal.aborted) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        for (const event of this.list(seen)) {
          seen = event.number;
          yield event;
        }
        if (this.#last <= seen && !signal.aborted) await changed;
      }
    } finally {
      this.#listeners.delete(onChange);
      signal.removeEventListener("abort", onChange);
    }
  }

  #keep(event: SystemEvent): void {
    this.#kept.push(event);
    this.#characters += sizeOf(event);
    while (this.#kept.length > KEPT || this.#characters > KEPT_CHARACTERS)
      this.#characters -= sizeOf(this.#kept.shift() as SystemEvent);
  }
}

function sizeOf({ message }: SystemEvent): number {
  return message.length + FIELDS;
}
