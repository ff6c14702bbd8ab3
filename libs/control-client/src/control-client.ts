import type { CallOptions } from "@connectrpc/connect";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";
import { type Logger, silentLogger } from "@daos/log";
import { fromConnectError, leaderHint } from "@daos/rpc";
import { abortable, deadline, isTimeout } from "@daos/sys";
import { fanOut } from "./fan-out.ts";
import { HostConnection } from "./host-connection.ts";
import type { ClientTls } from "./host-session.ts";

export interface ControlClientOptions {
  /** Whom to ask: every one of them for host requests, the first that leads for system requests. */
  readonly hosts: readonly HostAddress[];
  /** Absent for connections without TLS. */
  readonly tls?: ClientTls;
  /** The most hosts that are asked at the same time; 128 unless told. */
  readonly fanout?: number;
  /** Explains an error of a TLS connection better than its code does. */
  readonly explain?: ((error: unknown, host: string) => Fault | undefined) | undefined;
  /** Deadline per host in milliseconds, instead of the one that each request has by default. */
  readonly timeoutMs?: number | undefined;
  /** Ends everything; the servers see a cancellation. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: Logger;
}

/** One request, as its file describes it. */
export interface ControlRequest<T> {
  /** What is asked, as a verb phrase for messages: `scan storage`. */
  readonly attempted: string;
  /** How long a host may take (milliseconds) unless the operator says otherwise. */
  readonly timeoutMs: number;
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

/** How often one system request may be sent on to another host. */
const MAX_HINTS = 4;

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
   * Sends a request to the leader of the management service: asks the given hosts in turn, follows the hint of one that
   * is not the leader, and goes on to the next where no connection comes about. A request that may have been carried
   * out is not repeated.
   *
   * @throws Fault of the leader, or of the last host asked
   */
  async leader<T>(request: ControlRequest<T>): Promise<T> {
    const waiting = [...this.hosts];
    const asked = new Set<string>();
    const faults: Fault[] = [];
    let hints = 0;
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const name = formatHostAddress(host);
      if (asked.has(name)) continue;
      asked.add(name);
      const outcome = await this.#ask(host, request, this.#options.timeoutMs ?? request.timeoutMs);
      if (outcome.kind === "ok") return outcome.value;
      const { fault } = outcome;
      faults.push(fault);
      const hint = leaderHint(fault);
      if (hint !== undefined && hints < MAX_HINTS) {
        hints++;
        waiting.unshift(parseHostAddress(hint));
      } else if (!isAboutThisHostOnly(fault)) {
        throw fault;
      }
    }
    throw noLeader(request.attempted, faults);
  }

  async #ask<T>(host: HostAddress, request: ControlRequest<T>, timeoutMs: number): Promise<Outcome<T>> {
    const name = formatHostAddress(host);
    const log = this.#log.child("client", { host: name });
    log.debug(request.attempted, { timeoutMs });
    using limit = deadline(timeoutMs, request.attempted, this.#options.signal);
    using connection = new HostConnection(host, this.#options.tls);
    try {
      await connection.connect(limit);
      const value = await abortable(
        request.call(connection, { signal: limit.signal, timeoutMs }),
        limit.signal,
      );
      log.debug("answered");
      return { kind: "ok", value };
    } catch (error) {
      const fault = this.#fault(error, { attempted: request.attempted, host: name });
      log.debug("failed", { code: fault.code, reason: fault.message });
      return { kind: "failed", fault };
    }
  }

  #fault(error: unknown, context: { attempted: string; host: string }): Fault {
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

const NEXT_HOST = new Set<number>([
  FaultCode.connectionRefused,
  FaultCode.hostUnknown,
  FaultCode.hostUnreachable,
  FaultCode.notDaosServer,
  FaultCode.notLeader,
  FaultCode.notAccessPoint,
]);

/** True when the request has certainly not been carried out, and another host may well do it. */
function isAboutThisHostOnly(fault: Fault): boolean {
  return NEXT_HOST.has(fault.code);
}

function noLeader(attempted: string, faults: readonly Fault[]): Fault {
  const [only] = faults;
  if (only !== undefined && faults.length === 1) return only;
  const same = only !== undefined && faults.every((fault) => fault.code === only.code);
  return new Fault({
    domain: "client",
    code: same ? only.code : FaultCode.hostsFailed,
    description: `${attempted}: none of ${faults.length} hosts could do it`,
    reason: faults.map((fault) => fault.message).join("; "),
    resolution: same
      ? only.resolution
      : "check that the access points are up, and name them with -l or access_points in the configuration file",
    cause: faults,
  });
}
