import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import type { TLSSocket } from "node:tls";
import type { GrpcTransportOptions } from "@connectrpc/connect-node";

/** TLS options of a client; absent for h2c. */
export type ClientTls = SecureClientSessionOptions | undefined;

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/**
 * One HTTP/2 connection, for one Connect transport. It counts as open when the server's first SETTINGS frame is there,
 * so that hosts which accept connections and say nothing, or something else, are found out before a request is sent.
 * Errors between requests are kept for the next one; Connect's own session manager lets them end the process.
 */
export class HostSession implements SessionManager, Disposable {
  readonly authority: string;
  readonly #tls: ClientTls;
  #opening: Promise<ClientHttp2Session> | undefined;
  #session: ClientHttp2Session | undefined;

  constructor(authority: string, tls: ClientTls) {
    this.authority = authority;
    this.#tls = tls;
  }

  /** Opens the connection if that has not been done. @throws what Node.js says when it fails */
  open(): Promise<ClientHttp2Session> {
    this.#opening ??= new Promise((resolve, reject) => {
      // The kernel's keep-alive finds a dead host during a long call; servers of release 0.8.0 refuse frequent pings.
      const network = { keepAlive: true, keepAliveInitialDelay: 30_000 };
      const session = connect(this.authority, { ...this.#tls, ...network });
      this.#session = session;
      session.once("remoteSettings", () => resolve(session));
      session.on("error", reject);
      session.once("close", () => reject(connectionClosed()));
    });
    return this.#opening;
  }

  /** When the certificate expires that the server has shown; undefined without TLS, and before {@link open}. */
  get serverCertificateExpiry(): Date | undefined {
    const socket = this.#session?.socket as TLSSocket | undefined;
    if (socket === undefined || this.#tls === undefined) return undefined;
    const { valid_to: text } = socket.getPeerCertificate();
    return text === undefined ? undefined : new Date(text);
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: object,
  ): Promise<ClientHttp2Stream> {
    const session = await this.open();
    return session.request({ ...headers, ":method": method, ":path": path }, options);
  }

  notifyResponseByteRead(): void {}

  /** Closes the connection, and with it whatever is under way. */
  [Symbol.dispose](): void {
    this.#session?.destroy();
  }
}

function connectionClosed(): Error {
  return Object.assign(new Error("the connection was closed before it was ready"), { code: "ECONNRESET" });
}
