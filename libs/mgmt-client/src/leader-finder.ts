import { FaultCode, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { leaderHint } from "@daos/rpc";

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

  /** The access points as far as they are known. */
  get accessPoints(): readonly HostAddress[] {
    return unique([...this.#learned, ...this.#options.accessPoints]);
  }

  /** Takes the access points that the leader has named, `host:port`. */
  learn(accessPoints: readonly string[]): void {
    this.#learned = accessPoints.map((text) => parseHostAddress(text));
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
    const waiting = unique([...(known === undefined ? [] : [known]), ...this.accessPoints]);
    const asked = new Set<string>();
    let last: unknown = new Error("there is no access point to ask");
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const name = formatHostAddress(host);
      if (asked.has(name)) continue;
      asked.add(name);
      try {
        const answer = await call(host);
        this.#last = host;
        this.#options.onLearned?.();
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
