import { FaultCode, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { leaderHint } from "@daos/rpc";
import type { ReportAnswer } from "./mgmt-client.ts";

export interface LeaderFinderOptions {
  /** Those of the configuration; others are learned. */
  readonly accessPoints: readonly HostAddress[];
  /** The leader, on a host that takes part in the election. */
  readonly known: () => HostAddress | undefined;
  /** Called when there is news of the leader or the access points. */
  readonly onLearned?: (() => void) | undefined;
}

/** Failures that say nothing of the request: another host may do it. */
const ASK_ANOTHER: ReadonlySet<number> = new Set([
  FaultCode.systemNotReady,
  FaultCode.notLeader,
  FaultCode.notAccessPoint,
  FaultCode.leadershipLost,
  FaultCode.connectionRefused,
  FaultCode.connectionFailed,
  FaultCode.connectionLost,
  FaultCode.hostUnknown,
  FaultCode.hostUnreachable,
]);

/** Finds the leader of the system, which may change at any time. */
export class LeaderFinder {
  readonly #options: LeaderFinderOptions;
  #learned: readonly HostAddress[] = [];
  #last: HostAddress | undefined;

  constructor(options: LeaderFinderOptions) {
    this.#options = options;
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
   * another one as the leader is believed once.
   *
   * @throws Fault of the host asked last, or of the first one that decides; a host that sends back to one that has refused
   *   says nothing new
   */
  async ask<T>(call: (host: HostAddress) => Promise<T>): Promise<T> {
    const known = this.leader;
    const waiting = unique([
      ...(known === undefined ? [] : [known]),
      ...this.#learned,
      ...this.#options.accessPoints,
    ]);
    const asked = new Set<string>();
    let last: unknown = new Error("there is no access point to ask");
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const name = formatHostAddress(host);
      if (asked.has(name)) continue;
      asked.add(name);
      try {
        const answer = await call(host);
        this.#last = host;
        return answer;
      } catch (error) {
        const fault = toFault(error);
        if (!ASK_ANOTHER.has(fault.code)) throw fault;
        const hint = leaderHint(fault);
        if (hint === undefined || !asked.has(hint)) last = fault;
        if (hint !== undefined) waiting.unshift(parseHostAddress(hint));
      }
    }
    this.#last = undefined;
    this.#options.onLearned?.();
    throw last;
  }
}

function unique(hosts: readonly HostAddress[]): HostAddress[] {
  return [...new Map(hosts.map((host) => [formatHostAddress(host), host])).values()];
}
