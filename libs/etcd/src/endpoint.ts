import { type Client, createClient } from "@connectrpc/connect";
import { grpcTransport, Http2Session } from "@daos/http2";
import { etcd } from "@daos/proto";
import { notConnected } from "./etcd-error.ts";
import { type TlsFiles, tlsOptions } from "./tls-files.ts";

/** One member of etcd, reached over one HTTP/2 connection that is opened when it is needed. */
export class Endpoint implements Disposable {
  /** `http://host:2379` or `https://host:2379`. */
  readonly authority: string;
  readonly kv: Client<typeof etcd.KV>;
  readonly lease: Client<typeof etcd.Lease>;
  readonly watch: Client<typeof etcd.Watch>;
  readonly maintenance: Client<typeof etcd.Maintenance>;
  readonly #session: Http2Session;

  constructor(url: string, tls: TlsFiles) {
    const secure = new URL(url).protocol === "https:";
    this.#session = new Http2Session(url, secure ? { loadTls: () => tlsOptions(tls) } : {});
    this.authority = this.#session.authority;
    const transport = grpcTransport(this.#session);
    this.kv = createClient(etcd.KV, transport);
    this.lease = createClient(etcd.Lease, transport);
    this.watch = createClient(etcd.Watch, transport);
    this.maintenance = createClient(etcd.Maintenance, transport);
  }

  /** Opens the connection if it is not open. @throws EtcdError not-sent; the signal's reason */
  async connect(timeoutMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#session.connect({ timeoutMs, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw notConnected(this.authority, error);
    }
  }

  /** Closes the connection, which fails the calls under way. The next call opens a new one. */
  drop(): void {
    this.#session.drop();
  }

  [Symbol.dispose](): void {
    this.drop();
  }
}
