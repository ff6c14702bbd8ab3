import { FaultCode, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { type Clock, isTimeout, systemClock } from "@daos/sys";
import { searchLeader } from "./leader-search.ts";
import type { ReportAnswer } from "./mgmt-client.ts";

export interface LeaderFinderOptions {
  /** The configured access points. More are learned. */
  readonly accessPoints: readonly HostAddress[];
  /** The leader by this host's own election, on an access point. */
  readonly known: () => HostAddress | undefined;
  /** Called when the leader or the access points change. */
  readonly onLearned?: (() => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** The deadline of a request. */
export interface AskOptions {
  readonly signal: AbortSignal;
  /** When a host has not answered within this time, ms, the next host is asked too. */
  readonly hostMs: number;
}

/** Finds the leader of the system, which may change at any time. */
export class LeaderFinder {
  readonly #options: LeaderFinderOptions;
  readonly #clock: Clock;
  #learned: readonly HostAddress[] = [];
  #last: HostAddress | undefined;
  /** Hosts that did not answer in time when last asked, the longest ago first. */
  readonly #silent = new Set<string>();

  constructor(options: LeaderFinderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The last host that answered as the leader, or that this host's election names. */
  get leader(): HostAddress | undefined {
    return this.#options.known() ?? this.#last;
  }

  /** The active access points as the leader named them; before that, the configured ones. */
  get accessPoints(): readonly HostAddress[] {
    return this.#learned.length > 0 ? this.#learned : this.#options.accessPoints;
  }

  /** Records the leader and the access points that the leader reported. */
  learn({ accessPoints, leader }: ReportAnswer): void {
    this.#learned = accessPoints.map((text) => parseHostAddress(text));
    if (leader !== "") this.#last = parseHostAddress(leader);
    this.#options.onLearned?.();
  }

  /**
   * Sends the leader a repeatable request ({@link searchLeader}). It asks the known or last leader first, then the access points. A host that was late is asked last from then on.
   *
   * @throws Fault of the host asked last, or of the first host with a final answer; a redirect to a host that has
   * refused
   *   is not reported
   */
  async ask<T>(
    call: (host: HostAddress, wait: { readonly signal: AbortSignal }) => Promise<T>,
    { signal, hostMs }: AskOptions,
  ): Promise<T> {
    const result = await searchLeader<HostAddress, T>({
      hosts: this.#inOrder(),
      repeatable: true,
      staggerMs: hostMs,
      clock: this.#clock,
      signal,
      connect: async (host) => host,
      call,
      toFault,
      onLate: (host) => this.#wasSilent(host),
      onFailed: (host, fault) => {
        if (fault.code === FaultCode.hostUnreachable) this.#wasSilent(host);
        else this.#silent.delete(formatHostAddress(host));
      },
    });
    switch (result.kind) {
      case "answered":
        this.#silent.delete(formatHostAddress(result.host));
        this.#last = result.host;
        return result.value;
      case "aborted":
        if (isTimeout(signal.reason)) for (const host of result.pending) this.#wasSilent(host);
        throw result.fault;
      case "final":
        throw result.fault;
      case "none":
        this.#last = undefined;
        this.#options.onLearned?.();
        throw (
          result.failures.findLast(({ sentBack }) => !sentBack)?.fault ??
          new Error("there is no access point to ask")
        );
      default:
        return result satisfies never;
    }
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

  #wasSilent(host: HostAddress): void {
    const name = formatHostAddress(host);
    this.#silent.delete(name);
    this.#silent.add(name);
    if (this.#last === undefined || formatHostAddress(this.#last) !== name) return;
    this.#last = undefined;
    this.#options.onLearned?.();
  }
}

function unique(hosts: readonly HostAddress[]): HostAddress[] {
  return [...new Map(hosts.map((host) => [formatHostAddress(host), host])).values()];
}
