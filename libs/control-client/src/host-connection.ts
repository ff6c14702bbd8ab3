import type { Client, Transport } from "@connectrpc/connect";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { type ClientTls, grpcTransport, Http2Session } from "@daos/http2";
import { ctl, mgmt } from "@daos/proto";
import { lazyClient } from "./lazy-client.ts";

/**
 * A host that does not complete the HTTP/2 handshake within this time (ms) fails, whatever the deadline of the request.
 */
const CONNECT_TIMEOUT_MS = 10_000;

/** The services of one host over one HTTP/2 connection. The first call opens it. */
export class HostConnection implements Disposable {
  readonly host: HostAddress;
  readonly #session: Http2Session;
  readonly #transport: Transport;
  #ctl: Client<typeof ctl.MgmtCtl> | undefined;
  #mgmt: Client<typeof mgmt.MgmtSvc> | undefined;

  constructor(host: HostAddress, tls: ClientTls) {
    this.host = host;
    const baseUrl = `${tls === undefined ? "http" : "https"}://${formatHostAddress(host)}`;
    this.#session = new Http2Session(baseUrl, { loadTls: async () => tls });
    this.#transport = grpcTransport(this.#session);
  }

  get ctl(): Client<typeof ctl.MgmtCtl> {
    this.#ctl ??= lazyClient(ctl.MgmtCtl, this.#transport);
    return this.#ctl;
  }

  get mgmt(): Client<typeof mgmt.MgmtSvc> {
    this.#mgmt ??= lazyClient(mgmt.MgmtSvc, this.#transport);
    return this.#mgmt;
  }

  /**
   * Opens the connection.
   *
   * @throws the error of Node.js when that fails; the signal's reason; a TimeoutError after `timeoutMs`, 10 s by
   * default
   */
  connect(options: {
    readonly signal: AbortSignal;
    readonly timeoutMs?: number | (() => number);
  }): Promise<void> {
    return this.#session.connect({ timeoutMs: CONNECT_TIMEOUT_MS, ...options });
  }

  /** When the server's certificate expires; undefined without TLS, and before {@link connect}. */
  get serverCertificateExpiry(): Date | undefined {
    return this.#session.serverCertificateExpiry;
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}

/** Connections that are closed together. */
export class HostConnections implements Disposable {
  // Not a DisposableStack: Node.js 24 has none while it builds the start-up snapshot of dmg.
  readonly #connections: HostConnection[] = [];

  open(host: HostAddress, tls: ClientTls): HostConnection {
    const connection = new HostConnection(host, tls);
    this.#connections.push(connection);
    return connection;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }
}
