import type { CallOptions } from "@connectrpc/connect";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, formatHostSet, type HostAddress, parseHostAddress } from "@daos/hostlist";
import type { ClientTls } from "@daos/http2";
import { type Logger, silentLogger } from "@daos/log";
import { type CallContext, fromConnectError } from "@daos/rpc";
import { abortable, deadline, delay, isTimeout, systemClock } from "@daos/sys";
import { fanOut } from "./fan-out.ts";
import { HostConnection } from "./host-connection.ts";
import { type HostFailure, searchLeader } from "./leader-search.ts";

export interface ControlClientOptions {
  /** Whom to ask: every one of them for host requests, the first that leads for system requests. */
  readonly hosts: readonly HostAddress[];
  /** Absent for connections without TLS. */
  readonly tls?: ClientTls;
  /** The most hosts that are asked at the same time; 128 unless told. */
  readonly fanout?: number;
  /** Explains an error of a TLS connection better than its code does. */
  readonly explain?: ((error: unknown, host: string) => Fault | undefined) | undefined;
  /** Told of each server's certificate when a connection with it is made. */
  readonly onServerCertificate?: ((host: HostAddress, notAfter: Date) => void) | undefined;
  /** Deadline per host in milliseconds, instead of the one that each request has by default. */
  readonly timeoutMs?: number | undefined;
  /** Ends everything; the servers see a cancellation. */
  readonly signal?: AbortSignal | undefined;
  /** How long (milliseconds) a system request waits for a leader where hosts say that there is none; 10 s unless told. */
  readonly leaderWaitMs?: number;
  readonly log?: Logger;
}

/** One request, as its file describes it. */
export interface ControlRequest<T> {
  /** What is asked, as a verb phrase for messages: `scan storage`. */
  readonly attempted: string;
  /** How long a host may take (milliseconds) unless the operator says otherwise. */
  readonly timeoutMs: number;
  /** The request keeps to the operator's deadline per host itself: `timeoutMs` is for the whole of it, at least. */
  readonly manyHosts?: boolean;
  /** It may be carried out twice: the leader may be asked again when it is lost while it works. */
  readonly repeatable?: boolean;
  readonly call: (connection: HostConnection, options: CallOptions) => Promise<T>;
}

/** How one host answered. */
export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "failed"; readonly fault: Fault };

export interface HostResult<T> {
  readonly host: HostAddress;
  readonly outcome: Outcome<T>;
}

/** A host that is silent for this time (milliseconds) is not the only one that is called any longer. */
const STAGGER_MS = 1_000;
/** How long (milliseconds) a host that does not lead may think about who does. */
const LEADER_QUERY_MS = 2_000;
/** Waits (milliseconds) between two looks for a leader: doubled each time, at random from half of it. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 2_000;
/** Timers of Node.js hold 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** The most hosts that answers may add to those given. */
const MAX_LEARNED = 64;

/** What came of asking every known host once. */
type Round<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** Asking again later may help. */
  | { readonly kind: "no-leader-yet"; readonly fault: Fault }
  | { readonly kind: "failed"; readonly fault: Fault };

/** Speaks to the hosts of one system. */
export class ControlClient {
  readonly hosts: readonly HostAddress[];
  readonly #options: ControlClientOptions;
  readonly #log: Logger;

  constructor(options: ControlClientOptions) {
    this.hosts = options.hosts;
    this.#options = options;
    this.#log = options.log ?? silentLogger;
  }

  /** A client for other hosts, in all else like this one. */
  to(hosts: readonly HostAddress[]): ControlClient {
    return new ControlClient({ ...this.#options, hosts });
  }

  /** The most hosts that are asked at the same time, if that has been said. */
  get fanout(): number | undefined {
    return this.#options.fanout;
  }

  /** The deadline per host in milliseconds, if one has been given. */
  get timeoutMs(): number | undefined {
    return this.#options.timeoutMs;
  }

  /** Ends everything. */
  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /**
   * Sends a request to every host, each over its own connection, and yields each host's outcome once, as it comes.
   * The deadline is one host's, but what a host waits for its turn counts up to a quarter of it: so all hosts are done
   * within the deadline as long as the last one is asked by then. It throws for nothing that a host does.
   */
  eachHost<T>(request: ControlRequest<T>): AsyncGenerator<HostResult<T>> {
    const allowedMs = this.#options.timeoutMs ?? request.timeoutMs;
    const start = performance.now();
    return fanOut(this.hosts, this.#options.fanout ?? 128, async (host) => {
      const waitedMs = Math.min(performance.now() - start, allowedMs / 4);
      return { host, outcome: await this.#ask(host, request, Math.ceil(allowedMs - waitedMs)) };
    });
  }

  /**
   * Sends a request to the leader of the management service, wherever it is. The given hosts are called one after the
   * other ({@link searchLeader}), and the first that answers gets the request. One that does not lead says who does,
   * and which hosts may: so any host of the system will do. While there is no leader, or the one that was asked has lost
   * its office, everybody is asked again for a while; but a request that may have been carried out only if it is
   * `repeatable`.
   *
   * @throws Fault of the leader, or of the hosts asked
   */
  async leader<T>(request: ControlRequest<T>): Promise<T> {
    const timeoutMs = wholeDeadline(request, this.#options.timeoutMs);
    const start = performance.now();
    using limit = deadline(timeoutMs, request.attempted, this.#options.signal);
    let hosts = this.hosts;
    let pauseMs = FIRST_PAUSE_MS;
    let noLeaderYet: Fault | undefined;
    for (;;) {
      const usable: HostAddress[] = [];
      const round = await this.#askAround(hosts, usable, request, {
        signal: limit.signal,
        timeoutMs: Math.ceil(timeoutMs - (performance.now() - start)),
      });
      if (round.kind === "answered") return round.value;
      // The deadline came while somebody was asked once more: that there was no leader says more.
      if (round.fault.code === FaultCode.timedOut && noLeaderYet !== undefined) throw noLeaderYet;
      const waitedMs = performance.now() - start;
      if (round.kind === "failed" || waitedMs + pauseMs > (this.#options.leaderWaitMs ?? 10_000)) {
        throw round.fault;
      }
      noLeaderYet = round.fault;
      this.#log.debug("no leader yet", { reason: round.fault.message, pauseMs });
      try {
        await delay(pauseMs * (0.5 + Math.random() / 2), limit);
      } catch {
        throw round.fault;
      }
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
      // Those that answered come first now; the others may be back.
      hosts = [...usable, ...this.hosts];
    }
  }

  /** Asks hosts until one has done it. @param usable gets the hosts that could be reached or were named by others */
  async #askAround<T>(
    hosts: readonly HostAddress[],
    usable: HostAddress[],
    request: ControlRequest<T>,
    wait: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<Round<T>> {
    const { attempted } = request;
    using connections = new DisposableStack();
    const logOf = (host: HostAddress) => this.#log.child("client", { host: formatHostAddress(host) });
    const result = await searchLeader<HostConnection, T>({
      hosts,
      repeatable: request.repeatable === true,
      staggerMs: STAGGER_MS,
      clock: systemClock,
      signal: wait.signal,
      connect: async (host, until) => {
        const connection = connections.use(new HostConnection(host, this.#options.tls));
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

  async #ask<T>(host: HostAddress, request: ControlRequest<T>, timeoutMs: number): Promise<Outcome<T>> {
    const name = formatHostAddress(host);
    const log = this.#log.child("client", { host: name });
    log.debug(request.attempted, { timeoutMs });
    using limit = deadline(timeoutMs, request.attempted, this.#options.signal);
    using connection = new HostConnection(host, this.#options.tls);
    let sent = false;
    try {
      await connection.connect(limit);
      this.#noticeCertificate(connection);
      sent = true;
      const value = await abortable(
        request.call(connection, callOptions(limit.signal, timeoutMs)),
        limit.signal,
      );
      log.debug("answered");
      return { kind: "ok", value };
    } catch (error) {
      const fault = this.#fault(error, { attempted: request.attempted, host: name, sent });
      log.debug("failed", { code: fault.code, reason: fault.message });
      return { kind: "failed", fault };
    }
  }

  #noticeCertificate({ host, serverCertificateExpiry }: HostConnection): void {
    if (serverCertificateExpiry !== undefined) {
      this.#options.onServerCertificate?.(host, serverCertificateExpiry);
    }
  }

  #fault(error: unknown, context: CallContext): Fault {
    const description = `${context.attempted} on ${context.host}`;
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
        reason: "no answer within the deadline",
        resolution: "check that the host is up and not overloaded, or allow more time with --timeout",
        cause: error,
      });
    }
    return this.#options.explain?.(error, context.host) ?? fromConnectError(error, context);
  }
}

/** The server learns of a deadline that the wire can carry, eight digits of milliseconds; ours counts in any case. */
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

/** Whom a host that does not lead takes for the leader, and who could be it; nobody where it does not say. */
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

/** Names the hosts rather than count them: a host that was given by name is often asked again by its address. */
function noLeader(attempted: string, failures: readonly HostFailure[]): Fault {
  const hosts = failures.map(({ host }) => host);
  const faults = failures.map(({ fault }) => fault);
  const [only] = faults;
  if (only !== undefined && faults.length === 1) return only;
  const same = only !== undefined && faults.every((fault) => fault.code === only.code);
  // A host that answers knows more than those that cannot be reached.
  const advice = same ? only : faults.find(({ code }) => code === FaultCode.notAccessPoint);
  return new Fault({
    domain: "client",
    code: same ? only.code : FaultCode.hostsFailed,
    description: `${attempted}: none of ${formatHostSet(hosts, { defaultPort: 0 })} could do it`,
    reason: [...new Set(faults.map((fault) => fault.message))].join("; "),
    resolution:
      advice?.resolution ??
      "check that the access points are up, and name them with -l or access_points in the configuration file",
    cause: faults,
  });
}
