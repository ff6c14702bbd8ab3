import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { type ClientTls, Http2Session } from "@daos/http2";
import { ctl, mgmt } from "@daos/proto";

/** A host that does not greet within this time (ms) is given up, whatever the deadline of the request. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The services of one host over one HTTP/2 connection, which the first call opens. */
export class HostConnection implements Disposable {
  readonly host: HostAddress;
  readonly ctl: Client<typeof ctl.MgmtCtl>;
  readonly mgmt: Client<typeof mgmt.MgmtSvc>;
  readonly #session: Http2Session;

  constructor(host: HostAddress, tls: ClientTls) {
    this.host = host;
    const baseUrl = `${tls === undefined ? "http" : "https"}://${formatHostAddress(host)}`;
    this.#session = new Http2Session(baseUrl, { loadTls: async () => tls });
    const transport = createGrpcTransport({ baseUrl, sessionManager: this.#session });
    this.ctl = createClient(ctl.MgmtCtl, transport);
    this.mgmt = createClient(mgmt.MgmtSvc, transport);
  }

  /**
   * Opens the connection.
   *
   * @throws what Node.js says when that fails; the signal's reason; a TimeoutError after `timeoutMs`, 10 s by default
   */
  connect(options: { readonly signal: AbortSignal; readonly timeoutMs?: number }): Promise<void> {
    return this.#session.connect({ timeoutMs: CONNECT_TIMEOUT_MS, ...options });
  }

  /** When the certificate expires that the server has shown; undefined without TLS, and before {@link connect}. */
  get serverCertificateExpiry(): Date | undefined {
    return this.#session.serverCertificateExpiry;
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}
