import type { CallOptions } from "@connectrpc/connect";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, formatHostSet, type HostAddress, parseHostAddress } from "@daos/hostlist";
import type { ClientTls } from "@daos/http2";
import { type Logger, silentLogger } from "@daos/log";
import { type CallContext, fromConnectError } from "@daos/rpc";
import { abortable, BackOff, deadline, fanOut, isTimeout, monotonicNow, systemClock } from "@daos/sys";
import { HostConnection, HostConnections } from "./host-connection.ts";
import { HostPace } from "./host-pace.ts";
import { type HostFailure, searchLeader } from "./leader-search.ts";

export interface ControlClientOptions {
  /** The hosts: all of them for host requests, the first that leads for system requests. */
  readonly hosts: readonly HostAddress[];
  /** Absent for connections without TLS. */
  readonly tls?: ClientTls;
  /** Maximum number of hosts asked at the same time; 128 by default. */
  readonly fanout?: number;
  /** Explains an error of a TLS connection in more detail than its code. */
  readonly explain?: ((error: unknown, host: string) => Fault | undefined) | undefined;
  /** Called with each server's certificate when a connection to it opens. */
  readonly onServerCertificate?: ((host: HostAddress, notAfter: Date) => void) | undefined;
  /** Deadline per host in milliseconds. It overrides the default of each request. */
  readonly timeoutMs?: number | undefined;
  /** Cancels all requests, also on the servers. */
  readonly signal?: AbortSignal | undefined;
  /** How long (milliseconds) a system request waits while hosts report no leader; 10 s by default. */
  readonly leaderWaitMs?: number;
  readonly log?: Logger;
}

/** A request, as its file describes it. */
export interface ControlRequest<T> {
  /** The request as a verb phrase for messages: `scan storage`. */
  readonly attempted: string;
  /** The default deadline per host, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * The request applies the operator's deadline per host itself. `timeoutMs` is the minimum deadline of the whole
   * request.
   */
  readonly manyHosts?: boolean;
  /** The request may be carried out twice. It is sent again when the leader is lost while it works. */
  readonly repeatable?: boolean;
  readonly call: (connection: HostConnection, options: CallOptions) => Promise<T>;
}

/** The outcome of one host. */
export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "failed"; readonly fault: Fault };

export interface HostResult<T> {
  readonly host: HostAddress;
  readonly outcome: Outcome<T>;
}

/** When a host has not answered for this time (milliseconds), the next host is called too. */
const STAGGER_MS = 1_000;
/** How long (milliseconds) a follower may take to name the leader. */
const LEADER_QUERY_MS = 2_000;
/** Between two searches for a leader. */
const PAUSES = { firstMs: 200, maxMs: 2_000 };
/** Deadlines of hosts differ by whole steps, ms: Node.js keeps a list of timers for each duration. */
const STEP_MS = 100;
/** The timers of Node.js are limited to 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Maximum number of hosts that answers may add to the given hosts. */
const MAX_LEARNED = 64;

/** The result of asking every known host once. */
type Round<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** A later attempt may succeed. */
  | { readonly kind: "no-leader-yet"; readonly fault: Fault }
  | { readonly kind: "failed"; readonly fault: Fault };

/** The client of a system's hosts. */
export class ControlClient {
  readonly hosts: readonly HostAddress[];
  readonly #options: ControlClientOptions;
  readonly #log: Logger;
  readonly #hostLog: Logger;

  constructor(options: ControlClientOptions) {
    this.hosts = options.hosts;
    this.#options = options;
    this.#log = options.log ?? silentLogger;
    this.#hostLog = this.#log.child("client");
  }

  /** A client for other hosts, with the same options. */
  to(hosts: readonly HostAddress[]): ControlClient {
    return new ControlClient({ ...this.#options, hosts });
  }

  /** Maximum number of hosts asked at the same time, if given. */
  get fanout(): number | undefined {
    return this.#options.fanout;
  }

  /** The deadline per host in milliseconds, if given. */
  get timeoutMs(): number | undefined {
    return this.#options.timeoutMs;
  }

  /** Cancels all requests. */
  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /**
   * Sends a request to every host, each over its own connection. Yields each host's outcome once, when it arrives. The
   * deadline is per host, but the time that a host waits for its turn counts up to a quarter of it. All hosts therefore
   * end within the deadline if the last one is asked before it. A host's failure is an outcome, never thrown.
   */
  eachHost<T>(request: ControlRequest<T>): AsyncGenerator<HostResult<T>> {
    const allowedMs = this.#options.timeoutMs ?? request.timeoutMs;
    const start = monotonicNow();
    const pace = new HostPace({
      fanout: this.#options.fanout ?? 128,
      patient: this.hosts.length === 1 || this.#options.timeoutMs !== undefined,
    });
    return fanOut(
      this.hosts,
      () => pace.atOnce,
      async (host) => {
        const waitedMs = Math.min(monotonicNow() - start, allowedMs / 4);
        const timeoutMs = allowedMs - STEP_MS * Math.floor(waitedMs / STEP_MS);
        return { host, outcome: await this.#ask(host, request, { timeoutMs, pace }) };
      },
    );
  }

  /**
   * Sends a request to the leader of the management service. The given hosts are called in sequence ({@link
   * searchLeader}), and the first that answers gets the request. A follower names the leader and the access points, so
   * any host of the system will do. While there is no leader, or when the leader has lost its term, all hosts are asked
   * again for a while. A request that may have been done is repeated only if it is `repeatable`.
   *
   * @throws Fault of the leader, or of the hosts asked
   */
  async leader<T>(request: ControlRequest<T>): Promise<T> {
    const timeoutMs = wholeDeadline(request, this.#options.timeoutMs);
    const start = monotonicNow();
    using limit = deadline(timeoutMs, request.attempted, this.#options.signal);
    let hosts = this.hosts;
    const backOff = new BackOff(PAUSES);
    let noLeaderYet: Fault | undefined;
    for (;;) {
      const usable: HostAddress[] = [];
      const round = await this.#askAround(hosts, usable, request, {
        signal: limit.signal,
        timeoutMs: Math.ceil(timeoutMs - (monotonicNow() - start)),
      });
      if (round.kind === "answered") return round.value;
      // The deadline passed during a repeated search. The earlier result, that there is no leader, says more.
      if (round.fault.code === FaultCode.timedOut && noLeaderYet !== undefined) throw noLeaderYet;
      const waitedMs = monotonicNow() - start;
      if (round.kind === "failed" || waitedMs + backOff.nextMs > (this.#options.leaderWaitMs ?? 10_000)) {
        throw round.fault;
      }
      noLeaderYet = round.fault;
      this.#log.debug("no leader yet", { reason: round.fault.message, pauseMs: backOff.nextMs });
      try {
        await backOff.wait(limit);
      } catch {
        throw round.fault;
      }
      // Hosts that answered come first. The others may have recovered.
      hosts = [...usable, ...this.hosts];
    }
  }

  /** Asks hosts until one has done the request. @param usable gets the hosts that were reached or named by others */
  async #askAround<T>(
    hosts: readonly HostAddress[],
    usable: HostAddress[],
    request: ControlRequest<T>,
    wait: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<Round<T>> {
    const { attempted } = request;
    using connections = new HostConnections();
    const logOf = (host: HostAddress) => this.#log.child("client", { host: formatHostAddress(host) });
    const result = await searchLeader<HostConnection, T>({
      hosts,
      repeatable: request.repeatable === true,
      staggerMs: STAGGER_MS,
      clock: systemClock,
      signal: wait.signal,
      connect: async (host, until) => {
        const connection = connections.open(host, this.#options.tls);
        await connection.connect(until);
        usable.push(host);
        this.#noticeCertificate(connection);
        return connection;
      },
      call: (connection, until) => {
        logOf(connection.host).debug(attempted, { timeoutMs: wait.timeoutMs });
        const call = request.call(connection, callOptions(until.signal, wait.timeoutMs));
        return abortable(call, until.signal);
      },
      toFault: (error, host, sent) => this.#fault(error, { attempted, host: formatHostAddress(host), sent }),
      whoMayLead: async (connection) => {
        const named = await whoMayLead(connection, wait.signal);
        usable.push(...named.slice(0, Math.max(0, MAX_LEARNED - usable.length)));
        return named;
      },
      onFailed: (host, { code, message }) => logOf(host).debug("failed", { code, reason: message }),
    });
    switch (result.kind) {
      case "answered":
        logOf(result.host).debug("answered");
        return result;
      case "final":
        return { kind: "failed", fault: result.fault };
      case "aborted": {
        const host = formatHostSet(result.pending);
        return { kind: "failed", fault: this.#fault(wait.signal.reason, { attempted, host }) };
      }
      case "none": {
        const fault = noLeader(attempted, result.failures);
        return result.mayPass ? { kind: "no-leader-yet", fault } : { kind: "failed", fault };
      }
      default:
        return result satisfies never;
    }
  }

  async #ask<T>(
    host: HostAddress,
    request: ControlRequest<T>,
    { timeoutMs, pace }: { readonly timeoutMs: number; readonly pace: HostPace },
  ): Promise<Outcome<T>> {
    const name = formatHostAddress(host);
    this.#hostLog.debug(request.attempted, { host: name, timeoutMs });
    using limit = deadline(timeoutMs, request.attempted, this.#options.signal);
    using connection = new HostConnection(host, this.#options.tls);
    let sent = false;
    try {
      const begun = monotonicNow();
      await connection.connect({ signal: limit.signal, timeoutMs: () => pace.connectMs });
      pace.connected(monotonicNow() - begun);
      this.#noticeCertificate(connection);
      sent = true;
      const value = await abortable(
        request.call(connection, callOptions(limit.signal, timeoutMs)),
        limit.signal,
      );
      this.#hostLog.debug("answered", { host: name });
      return { kind: "ok", value };
    } catch (error) {
      const fault = this.#fault(error, { attempted: request.attempted, host: name, sent });
      this.#hostLog.debug("failed", { host: name, code: fault.code, reason: fault.message });
      return { kind: "failed", fault };
    }
  }

  #noticeCertificate({ host, serverCertificateExpiry }: HostConnection): void {
    if (serverCertificateExpiry !== undefined) {
      this.#options.onServerCertificate?.(host, serverCertificateExpiry);
    }
  }

  #fault(error: unknown, context: CallContext): Fault {
    const description = `cannot ${context.attempted} on ${context.host}`;
    if (this.#options.signal?.aborted) {
      return new Fault({
        domain: "client",
        code: FaultCode.cancelled,
        description,
        reason: "cancelled",
        resolution: "repeat the command; what the host had begun may be half done",
        cause: error,
      });
    }
    if (isTimeout(error)) {
      return new Fault({
        domain: "client",
        code: FaultCode.timedOut,
        description,
        reason:
          context.sent === false
            ? "the host has not answered the connection in time"
            : "no answer within the deadline",
        resolution: "check that the host is up and not overloaded, or allow more time with --timeout",
        cause: error,
      });
    }
    return this.#options.explain?.(error, context.host) ?? fromConnectError(error, context);
  }
}

/**
 * The wire format limits the server's deadline to eight digits of milliseconds. The client's own deadline always
 * applies.
 */
function callOptions(signal: AbortSignal, timeoutMs: number): CallOptions {
  return timeoutMs > 99_999_999 ? { signal } : { signal, timeoutMs: Math.max(1, timeoutMs) };
}

/** The deadline of a whole system request in milliseconds. */
function wholeDeadline(
  { timeoutMs, manyHosts }: ControlRequest<unknown>,
  wantedMs: number | undefined,
): number {
  if (wantedMs === undefined) return timeoutMs;
  return manyHosts === true ? Math.max(timeoutMs, Math.min(4 * wantedMs, MAX_TIMER_MS)) : wantedMs;
}

/** The leader and the access points that a follower names; empty when it names none. */
async function whoMayLead(connection: HostConnection, signal: AbortSignal): Promise<readonly HostAddress[]> {
  using limit = deadline(LEADER_QUERY_MS, "query the leader", signal);
  try {
    const { currentLeader, replicas } = await abortable(
      connection.mgmt.leaderQuery({}, { signal: limit.signal, timeoutMs: LEADER_QUERY_MS }),
      limit.signal,
    );
    return [currentLeader, ...replicas]
      .filter((text) => text !== "")
      .slice(0, MAX_LEARNED)
      .map((text) => parseHostAddress(text));
  } catch {
    return [];
  }
}

/** Names the hosts instead of counting them: a host given by name is often asked again by its address. */
function noLeader(attempted: string, failures: readonly HostFailure[]): Fault {
  const hosts = failures.map(({ host }) => host);
  const faults = failures.map(({ fault }) => fault);
  const [only] = faults;
  if (only !== undefined && faults.length === 1) return only;
  const same = only !== undefined && faults.every((fault) => fault.code === only.code);
  // The answers of hosts say more than connection failures.
  const advice = same ? only : faults.find(({ code }) => code === FaultCode.notAccessPoint);
  return new Fault({
    domain: "client",
    code: same ? only.code : FaultCode.hostsFailed,
    description: `cannot ${attempted}: none of ${formatHostSet(hosts, { defaultPort: 0 })} could do it`,
    reason: [...new Set(faults.map((fault) => fault.message))].join("; "),
    resolution:
      advice?.resolution ??
      "check that the access points are up, and name them with -l or access_points in the configuration file",
    cause: faults,
  });
}
