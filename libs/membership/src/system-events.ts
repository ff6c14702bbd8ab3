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
  /** RAS: nothing is heard of its host. */
  | "swim_rank_dead"
  /** RAS: its host is heard of again, and it serves as before. */
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
  /** What is kept of a member cannot be read: it was set aside. */
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

/** The most characters of an event: a reason of a member and what it is about. */
const MAX_EVENT = MAX_REASON + 256;
/** How many events are kept. */
const KEPT = 4096;
/** How many characters of messages are kept, and how many of other fields an event counts for. */
const KEPT_CHARACTERS = 1024 * 1024;
const FIELDS = 128;
/** Lines of each kind that are logged in a minute; a host can join or report as often as it likes. */
const LINES = 600;

/** What is not in the store yet, and from which number on events are kept. */
interface UnsavedEvents {
  readonly events: readonly SystemEvent[];
  readonly from: number;
}

/**
 * The latest events of the system, each also a line of the log, unless there are far too many of its kind. What the store has
 * of former leaders comes first; what it does not have yet is kept until it does, as long as there is room.
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

  /** Puts what the store has before what has happened in this term so far, which is numbered anew. Called before anyone reads. */
  restore(stored: readonly SystemEvent[]): void {
    const added = this.#kept.splice(0);
    this.#characters = 0;
    this.#last = stored.at(-1)?.number ?? 0;
    this.#saved = this.#last;
    for (const event of stored) this.#keep(event);
    for (const event of added) this.#keep({ ...event, number: ++this.#last });
  }

  /** What the store does not have yet, oldest first. @param limit the most events */
  unsaved(limit: number): UnsavedEvents {
    const events = this.list(this.#saved).slice(0, limit);
    return { events, from: this.#kept[0]?.number ?? this.#last + 1 };
  }

  /** The store has events up to this number. */
  saved(number: number): void {
    this.#saved = Math.max(this.#saved, number);
  }

  /** Those with a larger number than `after` that are kept, oldest first. */
  list(after = 0): readonly SystemEvent[] {
    return this.#kept.filter(({ number }) => number > after);
  }

  /** As {@link list}, and then each as it happens, until `signal` aborts. */
  async *follow(after: number, options: { readonly signal: AbortSignal }): AsyncGenerator<SystemEvent> {
    const { signal } = options;
    // Who asks may have counted the events of another leader, which were more.
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
