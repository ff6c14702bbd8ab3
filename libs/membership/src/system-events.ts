import { cleanText } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { type Logger, limitRepeats } from "@daos/log";
import type { Rank } from "@daos/rank";
import { MAX_REASON } from "@daos/security";
import type { Clock } from "@daos/sys";

export type SystemEventKind =
  | "leader_changed"
  | "member_joined"
  /** A known engine has joined again. */
  | "member_restarted"
  | "member_stopped"
  /** Its engine died, or could not be started. */
  | "member_errored"
  | "member_unresponsive"
  | "member_excluded"
  | "member_exclusion_cleared"
  | "member_erased"
  /** Its place on its host has another rank: its storage was formatted. */
  | "member_replaced"
  /** Its host reports from another address. */
  | "member_moved"
  | "device_warning"
  /** What is kept of a member cannot be read: it was set aside. */
  | "member_unreadable";

/** Something that happened in the system. */
export interface SystemEvent {
  /** Counts up from 1 in each term of a leader. */
  readonly number: number;
  /** ms since 1970. */
  readonly time: number;
  readonly kind: SystemEventKind;
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  readonly rank?: Rank | undefined;
  readonly uuid?: string | undefined;
  readonly address?: HostAddress | undefined;
}

const SEVERITY: Readonly<Record<SystemEventKind, SystemEvent["severity"]>> = {
  leader_changed: "info",
  member_joined: "info",
  member_restarted: "info",
  member_stopped: "info",
  member_errored: "error",
  member_unresponsive: "error",
  member_excluded: "warning",
  member_exclusion_cleared: "info",
  member_erased: "warning",
  member_replaced: "warning",
  member_moved: "warning",
  device_warning: "warning",
  member_unreadable: "error",
};

const LEVEL = { info: "info", warning: "warn", error: "error" } as const;

/** The most characters of an event: a reason of a member and what it is about. */
const MAX_EVENT = MAX_REASON + 256;
/** How many events are kept. */
const KEPT = 1024;
/** Lines of each kind that are logged in a minute; a host can join or report as often as it likes. */
const LINES = 600;

/** The latest events of the system, each also a line of the log, unless there are far too many of its kind. */
export class SystemEvents {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #kept: SystemEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #last = 0;

  constructor(options: { readonly log: Logger; readonly clock: Clock }) {
    this.#log = limitRepeats(options.log, { lines: LINES, kindOf: (_, { event }) => String(event) });
    this.#clock = options.clock;
  }

  add(kind: SystemEventKind, text: string, about: Pick<SystemEvent, "rank" | "uuid" | "address"> = {}): void {
    const severity = SEVERITY[kind];
    const message = cleanText(text, MAX_EVENT);
    const event = { number: ++this.#last, time: this.#clock.wallTime(), kind, severity, message, ...about };
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    const address = about.address === undefined ? {} : { address: formatHostAddress(about.address) };
    this.#log[LEVEL[severity]](message, { event: kind, ...about, ...address });
    for (const wake of this.#listeners) wake();
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
}
