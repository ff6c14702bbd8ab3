import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, type GrpcTransportOptions } from "@connectrpc/connect-node";
import { etcd } from "@daos/proto";
import { abortable, deadline } from "@daos/sys";
import { notConnected } from "./etcd-error.ts";
import { type TlsFiles, tlsOptions } from "./tls-files.ts";

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/** One member of etcd, reached over one HTTP/2 connection that is opened when it is needed. */
export class Endpoint implements SessionManager, Disposable {
  /** `http://host:2379` or `https://host:2379`. */
  readonly authority: string;
  readonly kv: Client<typeof etcd.KV>;
  readonly lease: Client<typeof etcd.Lease>;
  readonly watch: Client<typeof etcd.Watch>;
  readonly maintenance: Client<typeof etcd.Maintenance>;
  readonly #tls: TlsFiles;
  #opening: Promise<ClientHttp2Session> | undefined;
  #session: ClientHttp2Session | undefined;

  constructor(url: string, tls: TlsFiles) {
    this.authority = new URL(url).origin;
    this.#tls = tls;
    const transport = createGrpcTransport({ baseUrl: this.authority, sessionManager: this });
    this.kv = createClient(etcd.KV, transport);
    this.lease = createClient(etcd.Lease, transport);
    this.watch = createClient(etcd.Watch, transport);
    this.maintenance = createClient(etcd.Maintenance, transport);
  }

  /** Opens the connection if it is not open. @throws EtcdError not-sent; the signal's reason */
  async connect(timeoutMs: number, signal: AbortSignal): Promise<void> {
    using limit = deadline(timeoutMs, `connection to etcd at ${this.authority}`, signal);
    try {
      await abortable(this.#open(), limit.signal);
    } catch (error) {
      if (limit.signal.aborted) this.drop();
      signal.throwIfAborted();
      throw notConnected(this.authority, error);
    }
  }

  /** Closes the connection, and with it whatever is under way on it; the next call opens another one. */
  drop(): void {
    this.#opening = undefined;
    this.#session?.destroy();
    this.#session = undefined;
  }

  #open(): Promise<ClientHttp2Session> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#readTls().then((tls) => {
      if (this.#opening !== opening) throw new Error("the connection is not wanted any more");
      return this.#greet(tls);
    });
    this.#opening = opening;
    const forget = () => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    opening.then((session) => session.once("close", forget).once("goaway", forget), forget);
    return opening;
  }

  async #readTls(): Promise<SecureClientSessionOptions> {
    return this.authority.startsWith("https:") ? tlsOptions(this.#tls) : {};
  }

  /** It counts as open when etcd's first SETTINGS frame is there: a port that only accepts is none of etcd's. */
  #greet(tls: SecureClientSessionOptions): Promise<ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      // The kernel's keep-alive; what waits for an answer has a deadline besides.
      const network = { keepAlive: true, keepAliveInitialDelay: 10_000 };
      const session = connect(this.authority, { ...tls, ...network });
      this.#session = session;
      session.once("remoteSettings", () => resolve(session));
      session.on("error", reject);
      session.once("close", () => reject(new Error("the connection was closed before it was ready")));
    });
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: object,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#open();
    return session.request({ ...headers, ":method": method, ":path": path }, options);
  }

  notifyResponseByteRead(): void {}

  [Symbol.dispose](): void {
    this.drop();
  }
}
