import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { Fault, FaultCode, faultDaosStatus } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { ClientTls } from "@daos/http2";
import { mgmt } from "@daos/proto";
import { type CallContext, fromConnectError } from "@daos/rpc";
import { isTimeout } from "@daos/sys";
import { HostConnection } from "./host-connection.ts";

interface Wait {
  readonly signal: AbortSignal;
}

/** The parameters of a join. */
export interface JoinMessage {
  readonly uuid: string;
  readonly rank: number;
  readonly uri: string;
  readonly nctxs: number;
  readonly addr: string;
  readonly faultDomain: string;
  readonly reports: boolean;
  readonly recorded: boolean;
  /** From 1. */
  readonly engineNumber: number;
}

/** The content of a report to the leader. */
export interface ReportMessage {
  readonly addr: string;
  readonly engines: readonly {
    readonly uuid: string;
    readonly incarnation: number;
    readonly state: mgmt.ReportEnginesReq_State;
    readonly reason: string;
    /** From 1. */
    readonly number: number;
  }[];
  readonly intervalMs: number;
  readonly warnings: readonly string[];
  /** How many engines this host has by its configuration. */
  readonly configured: number;
}

/** The leader's answer to a report. */
export interface ReportAnswer {
  /** The active access points, `host:port`. */
  readonly accessPoints: readonly string[];
  /** Its own control address, `host:port`. */
  readonly leader: string;
}

/** The connect deadline of a host, ms. */
const CONNECT_TIMEOUT_MS = 5_000;

/** A connection that joins and reports use is closed when none has used it for this time, ms. */
const KEEP_MS = 25_000;

/** A connection to one host, and the number of calls that use it. */
interface Shared {
  readonly connection: HostConnection;
  readonly tls: ClientTls;
  calls: number;
  /** Closes it when it is not used for a while. */
  idle?: NodeJS.Timeout | undefined;
}

/**
 * Calls the management service of other hosts, as a client in a server. Concurrent calls to one host share a
 * connection: a command for all engines of a host uses one. The joins of a host and its reports, which follow every few
 * seconds, have a connection of their own that stays open between them.
 */
export class MgmtClient implements Disposable {
  readonly #loadTls: () => Promise<ClientTls>;
  readonly #shared = new Map<string, Shared>();
  /** Answers calls of this process to its own addresses. */
  readonly #local = new Map<string, Client>();

  /**
   * @param loadTls called for each request, so that new certificates are used; returns undefined for plain text, and
   *   otherwise another object when the certificates have changed
   */
  constructor(loadTls: () => Promise<ClientTls>) {
    this.#loadTls = loadTls;
  }

  /**
   * From now on calls to an address of this host are answered in this process: they need no connection, certificate or port, so
   * that nothing from outside keeps a server from calling itself.
   */
  answerLocally(host: HostAddress, transport: Transport): void {
    this.#local.set(formatHostAddress(host), createClient(mgmt.MgmtSvc, transport));
  }

  join(host: HostAddress, request: JoinMessage, wait: Wait): Promise<mgmt.JoinResp> {
    const options = { signal: wait.signal, keep: true };
    return this.#call(host, `join engine ${request.uuid}`, options, (client) => client.join(request, wait));
  }

  reportEngines(host: HostAddress, report: ReportMessage, wait: Wait): Promise<ReportAnswer> {
    const message = { ...report, engines: [...report.engines], warnings: [...report.warnings] };
    const options = { signal: wait.signal, keep: true };
    return this.#call(host, "report engines", options, (client) => client.reportEngines(message, wait));
  }

  /** @param options `timeoutMs` is sent to the host, which answers before that even when the engine hangs */
  async prepShutdown(
    host: HostAddress,
    rank: number,
    options: Wait & { readonly timeoutMs: number },
  ): Promise<void> {
    const attempted = `prepare rank ${rank} for shutdown`;
    const { signal, timeoutMs } = options;
    const { status } = await this.#call(host, attempted, options, (client) =>
      client.prepShutdown({ rank }, { signal, timeoutMs }),
    );
    if (status !== 0) throw faultDaosStatus(attempted, status);
  }

  async killRank(
    host: HostAddress,
    rank: number,
    options: Wait & { readonly force: boolean },
  ): Promise<void> {
    const attempted = `stop rank ${rank}`;
    const { force, signal } = options;
    const { status } = await this.#call(host, attempted, options, (client) =>
      client.killRank({ rank, force }, { signal }),
    );
    if (status !== 0) throw faultDaosStatus(attempted, status);
  }

  async startRank(host: HostAddress, rank: number, wait: Wait): Promise<void> {
    await this.#call(host, `start rank ${rank}`, wait, (client) => client.startRank({ rank }, wait));
  }

  async eraseRank(host: HostAddress, rank: number, uuid: string, wait: Wait): Promise<void> {
    await this.#call(host, `erase rank ${rank}`, wait, (client) => client.eraseRank({ rank, uuid }, wait));
  }

  /**
   * Calls the engine with a replica on another access point.
   *
   * @param options `caller` is the certificate (DER) of the client whose call is passed on
   * @returns the body of its answer
   */
  async callEngine(
    host: HostAddress,
    method: number,
    body: Uint8Array,
    options: Wait & { readonly caller?: Uint8Array | undefined },
  ): Promise<Uint8Array> {
    const { caller = new Uint8Array(), signal } = options;
    const request = { method, body: new Uint8Array(body), caller: new Uint8Array(caller) };
    const answer = await this.#call(host, `call method ${method} of the engine`, options, (client) =>
      client.callEngine(request, { signal }),
    );
    return answer.body;
  }

  /**
   * Passes a client's call about the pools on to the leader.
   *
   * @param options `caller` is the certificate (DER) of the client, `address` its IP address
   * @returns the body of the answer
   */
  async callLeader(
    host: HostAddress,
    method: number,
    body: Uint8Array,
    options: Wait & { readonly caller?: Uint8Array | undefined; readonly address: string },
  ): Promise<Uint8Array> {
    const { caller = new Uint8Array(), address, signal } = options;
    const request = { method, body: new Uint8Array(body), caller: new Uint8Array(caller), address };
    const answer = await this.#call(
      host,
      `pass a call about pools on (method ${method})`,
      options,
      (client) => client.callLeader(request, { signal }),
    );
    return answer.body;
  }

  /** Closes the connections; calls under way fail. */
  [Symbol.dispose](): void {
    for (const shared of this.#shared.values()) close(shared);
    this.#shared.clear();
  }

  async #call<T>(
    host: HostAddress,
    attempted: string,
    { signal, keep = false }: Wait & { readonly keep?: boolean },
    call: (client: Client) => Promise<T>,
  ): Promise<T> {
    const name = formatHostAddress(host);
    const local = this.#local.get(name);
    if (local !== undefined) {
      return call(local).catch((error: unknown) => {
        throw callFault(error, { attempted, host: name, sent: true, signal });
      });
    }
    const key = keep ? `member at ${name}` : name;
    const shared = this.#take(key, host, await this.#loadTls());
    let sent = false;
    let failed = true;
    try {
      await connect(shared.connection, signal);
      sent = true;
      const answer = await call(shared.connection.mgmt);
      failed = false;
      return answer;
    } catch (error) {
      throw callFault(error, { attempted, host: name, sent, signal });
    } finally {
      this.#release(key, shared, keep && !failed);
    }
  }

  /** A connection to use; a new one when there is none, or when the certificates have changed. */
  #take(key: string, host: HostAddress, tls: ClientTls): Shared {
    const known = this.#shared.get(key);
    const isUsable = known !== undefined && known.tls === tls;
    const shared = isUsable ? known : { connection: new HostConnection(host, tls), tls, calls: 0 };
    if (known !== undefined && known !== shared && known.calls === 0) close(known);
    if (isUsable) clearTimeout(known.idle);
    shared.calls++;
    this.#shared.set(key, shared);
    return shared;
  }

  /** A connection on which a call has failed is not used for the next one: its host may be gone. */
  #release(key: string, shared: Shared, keep: boolean): void {
    const isCurrent = this.#shared.get(key) === shared;
    shared.calls--;
    if (!keep && isCurrent && shared.calls === 0) this.#shared.delete(key);
    if (shared.calls > 0) return;
    if (!keep || !isCurrent) {
      close(shared);
      return;
    }
    shared.idle = setTimeout(() => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
      close(shared);
    }, KEEP_MS).unref();
  }
}

function close({ idle, connection }: Shared): void {
  clearTimeout(idle);
  connection[Symbol.dispose]();
}

type Client = HostConnection["mgmt"];

interface FailedCall extends CallContext {
  readonly signal: AbortSignal;
}

function callFault(error: unknown, { signal, ...context }: FailedCall): Fault {
  if (error instanceof Fault) return error;
  // Connect reports a deadline as a cancellation, and the two need different faults.
  const late = isTimeout(signal.reason)
    ? new ConnectError("no answer", Code.DeadlineExceeded, undefined, undefined, signal.reason)
    : error;
  return fromConnectError(late, context);
}

/** Opens the connection separately, to distinguish a dead host from a slow answer. */
async function connect(connection: HostConnection, signal: AbortSignal): Promise<void> {
  try {
    await connection.connect({ signal, timeoutMs: CONNECT_TIMEOUT_MS });
  } catch (error) {
    signal.throwIfAborted();
    if (!isTimeout(error)) throw error;
    throw new Fault({
      domain: "client",
      code: FaultCode.hostUnreachable,
      description: `cannot connect to ${formatHostAddress(connection.host)}`,
      reason: `no answer within ${CONNECT_TIMEOUT_MS / 1000} s`,
      resolution: "check that the host is up and that its port is open",
      cause: error,
    });
  }
}
