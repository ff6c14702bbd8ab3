import { type Fault, type RetryClass, retryClass } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { leaderHint } from "@daos/rpc";
import type { Clock } from "@daos/sys";

interface Wait {
  readonly signal: AbortSignal;
}

export interface LeaderSearchOptions<Connection, Value> {
  /** The hosts, in the order of asking. */
  readonly hosts: readonly HostAddress[];
  /**
   * The request may be carried out twice. It is then sent to the next host also when one is late, because the late host
   * may be a busy leader. It is also sent to others when it may have been carried out. Otherwise only connections are
   * opened to several hosts at a time, and one host at a time gets the request.
   */
  readonly repeatable: boolean;
  /** When a host has no outcome after this time, ms, the next host is tried too. */
  readonly staggerMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Opens the connection to a host. Must end when the signal aborts, as `call` must. */
  readonly connect: (host: HostAddress, wait: Wait) => Promise<Connection>;
  readonly call: (connection: Connection, wait: Wait) => Promise<Value>;
  /** @param sent the connection was open: the request may have reached the host */
  readonly toFault: (error: unknown, host: HostAddress, sent: boolean) => Fault;
  /** The access points that a follower names. */
  readonly whoMayLead?: (connection: Connection) => Promise<readonly HostAddress[]>;
  /** Called when a host is late and others are tried too. */
  readonly onLate?: (host: HostAddress) => void;
  readonly onFailed?: (host: HostAddress, fault: Fault) => void;
}

/** Why one host did not do the request. */
export interface HostFailure {
  readonly host: HostAddress;
  readonly fault: Fault;
  /** It named a leader that had been asked before. It adds no information. */
  readonly sentBack: boolean;
}

export type LeaderSearchResult<Value> =
  | { readonly kind: "answered"; readonly host: HostAddress; readonly value: Value }
  /** No other host is asked after this failure. */
  | { readonly kind: "final"; readonly fault: Fault }
  /** The signal has aborted. */
  | { readonly kind: "aborted"; readonly fault: Fault; readonly pending: readonly HostAddress[] }
  /** Every host has failed. `mayPass`: the same request may succeed later. */
  | { readonly kind: "none"; readonly failures: readonly HostFailure[]; readonly mayPass: boolean };

type Attempt<Connection, Value> =
  | { readonly kind: "connected"; readonly host: HostAddress; readonly connection: Connection }
  | { readonly kind: "answered"; readonly host: HostAddress; readonly value: Value }
  | {
      readonly kind: "failed";
      readonly host: HostAddress;
      readonly error: unknown;
      /** The connection on which the request was sent. */
      readonly connection: Connection | undefined;
    };

/**
 * Sends a request to the leader of the management service. Hosts are tried in order, the next one as soon as one has
 * failed or is late. The leader that a follower names is tried next. No host is tried twice.
 *
 * @see RFC 8305, which opens connections to the addresses of one name in the same way
 */
export async function searchLeader<Connection, Value>(
  options: LeaderSearchOptions<Connection, Value>,
): Promise<LeaderSearchResult<Value>> {
  const { repeatable, staggerMs, clock, signal } = options;
  const ended = new AbortController();
  const wait = { signal: AbortSignal.any([signal, ended.signal]) };
  const started = new Set<string>();
  const pending = new Map<string, HostAddress>();
  const settled: Attempt<Connection, Value>[] = [];
  const failures: HostFailure[] = [];
  let waiting = [...options.hosts];
  let mayPass = false;
  let wake = () => {};

  const call = async (host: HostAddress, connection: Connection): Promise<Attempt<Connection, Value>> => {
    try {
      return { kind: "answered", host, value: await options.call(connection, wait) };
    } catch (error) {
      return { kind: "failed", host, error, connection };
    }
  };
  const attempt = async (host: HostAddress): Promise<Attempt<Connection, Value>> => {
    try {
      const connection = await options.connect(host, wait);
      return repeatable ? await call(host, connection) : { kind: "connected", host, connection };
    } catch (error) {
      return { kind: "failed", host, error, connection: undefined };
    }
  };
  const start = (host: HostAddress) => {
    const name = formatHostAddress(host);
    started.add(name);
    pending.set(name, host);
    void attempt(host).then((outcome) => {
      pending.delete(name);
      settled.push(outcome);
      wake();
    });
  };

  try {
    for (;;) {
      if (settled.length === 0) {
        waiting = waiting.filter((host) => !started.has(formatHostAddress(host)));
        const host = waiting.shift();
        if (host !== undefined) start(host);
        if (pending.size === 0) return { kind: "none", failures, mayPass };
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await firstOf(woken, waiting.length > 0 ? staggerMs : undefined, clock);
        if (settled.length === 0 && host !== undefined) options.onLate?.(host);
      }
      const next = settled.shift();
      if (next === undefined) continue;
      const outcome = next.kind === "connected" ? await call(next.host, next.connection) : next;
      if (outcome.kind === "answered") return outcome;
      if (outcome.kind !== "failed") continue;
      const { host, connection } = outcome;
      const fault = options.toFault(outcome.error, host, connection !== undefined);
      if (signal.aborted) return { kind: "aborted", fault, pending: [host, ...pending.values()] };
      options.onFailed?.(host, fault);
      const hint = readHint(fault);
      failures.push({ host, fault, sentBack: hint !== undefined && started.has(formatHostAddress(hint)) });
      // Nothing was sent. Another host may be reachable.
      if (connection === undefined) continue;
      const found = searchClass(fault);
      const mustStop = found === "final" || (found === "maybe-done" && !repeatable);
      if (mustStop && hint === undefined) return { kind: "final", fault };
      mayPass ||= found === "maybe-done" || found === "wait";
      if (hint !== undefined) waiting.unshift(hint);
      if (found !== "maybe-done") waiting.push(...((await options.whoMayLead?.(connection)) ?? []));
    }
  } finally {
    ended.abort(new DOMException("the request has been answered", "AbortError"));
  }
}

/** The leader that a host names; undefined when the text is not an address. */
function readHint(fault: Fault): HostAddress | undefined {
  const hint = leaderHint(fault);
  if (hint === undefined) return undefined;
  try {
    return parseHostAddress(hint);
  } catch {
    return undefined;
  }
}

/** A data-plane status is final here: the leader has asked every replica of its management service. */
function searchClass(fault: Fault): RetryClass {
  return fault.domain === "daos" ? "final" : retryClass(fault);
}

/** Resolves with `work`, or after `ms` if that comes first. `ms` may be undefined. */
async function firstOf(work: Promise<void>, ms: number | undefined, clock: Clock): Promise<void> {
  if (ms === undefined) return work;
  const rest = new AbortController();
  const late = clock.delay(ms, { signal: rest.signal }).catch(() => {});
  try {
    await Promise.race([work, late]);
  } finally {
    rest.abort();
  }
}
