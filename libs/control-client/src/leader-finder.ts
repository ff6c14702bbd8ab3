import { type Fault, FaultCode, retryClass, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { leaderHint } from "@daos/rpc";
import { type Clock, isTimeout, systemClock } from "@daos/sys";
import type { ReportAnswer } from "./mgmt-client.ts";

export interface LeaderFinderOptions {
  /** Those of the configuration; others are learned. */
  readonly accessPoints: readonly HostAddress[];
  /** The leader, on a host that takes part in the election. */
  readonly known: () => HostAddress | undefined;
  /** Called when there is news of the leader or the access points. */
  readonly onLearned?: (() => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** How long a request may take. */
export interface AskOptions {
  readonly signal: AbortSignal;
  /** A host that has not answered within this time, ms, is not the only one that is asked any longer. */
  readonly hostMs: number;
}

/** What came of asking one host. */
type Outcome<T> =
  | { readonly kind: "answered"; readonly host: HostAddress; readonly answer: T }
  | { readonly kind: "failed"; readonly host: HostAddress; readonly fault: Fault };

/** Finds the leader of the system, which may change at any time. */
export class LeaderFinder {
  readonly #options: LeaderFinderOptions;
  readonly #clock: Clock;
  #learned: readonly HostAddress[] = [];
  #last: HostAddress | undefined;
  /** Hosts that did not answer in time when they were asked last, the one that was asked longest ago first. */
  readonly #silent = new Set<string>();

  constructor(options: LeaderFinderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The host that has answered as the leader last, or that takes part as it. */
  get leader(): HostAddress | undefined {
    return this.#options.known() ?? this.#last;
  }

  /** The access points that take part, as the leader has named them; those of the configuration before it has. */
  get accessPoints(): readonly HostAddress[] {
    return this.#learned.length > 0 ? this.#learned : this.#options.accessPoints;
  }

  /** Takes what the leader has told of itself and the access points. */
  learn({ accessPoints, leader }: ReportAnswer): void {
    this.#learned = accessPoints.map((text) => parseHostAddress(text));
    if (leader !== "") this.#last = parseHostAddress(leader);
    this.#options.onLearned?.();
  }

  /**
   * Asks the leader: first the host that is known or was the last one, then the access points in turn; a host that names
   * another one as the leader is believed once. One that is late is still heard while the others are asked, for it may be
   * a leader that has much to do: nobody is asked twice. From then on it comes last.
   *
   * @throws Fault of the host asked last, or of the first one that decides; a host that sends back to one that has refused
   *   says nothing new
   */
  async ask<T>(
    call: (host: HostAddress, wait: { readonly signal: AbortSignal }) => Promise<T>,
    { signal, hostMs }: AskOptions,
  ): Promise<T> {
    const ended = new AbortController();
    const until = { signal: AbortSignal.any([signal, ended.signal]) };
    const asked = new Set<string>();
    const open = new Map<HostAddress, Promise<Outcome<T>>>();
    let waiting = this.#inOrder();
    let last: unknown = new Error("there is no access point to ask");
    try {
      for (;;) {
        waiting = waiting.filter((one) => !asked.has(formatHostAddress(one)));
        const host = waiting.shift();
        if (host !== undefined) {
          asked.add(formatHostAddress(host));
          open.set(host, outcomeOf(host, call(host, until)));
        }
        if (open.size === 0) break;
        const outcome = await this.#first(open.values(), waiting.length > 0 ? hostMs : undefined);
        if (outcome === "late") {
          if (host !== undefined) this.#wasSilent(host);
          continue;
        }
        if (outcome.kind === "failed" && signal.aborted) {
          if (isTimeout(signal.reason)) for (const silent of open.keys()) this.#wasSilent(silent);
          throw outcome.fault;
        }
        open.delete(outcome.host);
        if (outcome.kind === "answered") {
          this.#silent.delete(formatHostAddress(outcome.host));
          this.#last = outcome.host;
          return outcome.answer;
        }
        const { fault } = outcome;
        if (fault.code === FaultCode.hostUnreachable) this.#wasSilent(outcome.host);
        else this.#silent.delete(formatHostAddress(outcome.host));
        if (retryClass(fault) === "final") throw fault;
        const hint = leaderHint(fault);
        if (hint === undefined || !asked.has(hint)) last = fault;
        if (hint !== undefined) waiting.unshift(parseHostAddress(hint));
      }
    } finally {
      ended.abort(new DOMException("the request has been answered", "AbortError"));
    }
    this.#last = undefined;
    this.#options.onLearned?.();
    throw last;
  }

  #inOrder(): HostAddress[] {
    const { leader } = this;
    const silent = [...this.#silent];
    const lateness = (host: HostAddress) => silent.indexOf(formatHostAddress(host));
    return unique([
      ...(leader === undefined ? [] : [leader]),
      ...this.#learned,
      ...this.#options.accessPoints,
    ]).sort((a, b) => lateness(a) - lateness(b));
  }

  /** The first outcome; "late" if that takes too long. */
  async #first<T>(
    outcomes: Iterable<Promise<Outcome<T>>>,
    hostMs: number | undefined,
  ): Promise<Outcome<T> | "late"> {
    if (hostMs === undefined) return Promise.race(outcomes);
    const rest = new AbortController();
    const late = this.#clock.delay(hostMs, { signal: rest.signal }).then(
      () => "late" as const,
      () => "late" as const,
    );
    try {
      return await Promise.race([...outcomes, late]);
    } finally {
      rest.abort();
    }
  }

  #wasSilent(host: HostAddress): void {
    const name = formatHostAddress(host);
    this.#silent.delete(name);
    this.#silent.add(name);
    if (this.#last === undefined || formatHostAddress(this.#last) !== name) return;
    this.#last = undefined;
    this.#options.onLearned?.();
  }
}

function outcomeOf<T>(host: HostAddress, answer: Promise<T>): Promise<Outcome<T>> {
  return answer.then(
    (value) => ({ kind: "answered", host, answer: value }),
    (error: unknown) => ({ kind: "failed", host, fault: toFault(error) }),
  );
}

function unique(hosts: readonly HostAddress[]): HostAddress[] {
  return [...new Map(hosts.map((host) => [formatHostAddress(host), host])).values()];
}
