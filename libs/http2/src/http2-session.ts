import type { SecureClientSessionOptions } from "node:http2";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import { abortable, isTimeout } from "@daos/sys";
import { encodeHeaders } from "./hpack-encode.ts";
import type { Header } from "./hpack-table.ts";
import { Http2Connection } from "./http2-connection.ts";
import type { Http2Stream } from "./http2-stream.ts";

/**
 * Timeout of a TCP connection, ms. The kernel accepts connections even for the busiest server, so a slower host is down
 * or unreachable. The time is enough for two retransmissions of a lost packet.
 */
const TCP_MS = 3_000;

/** TLS options of a client; undefined for plain text (h2c). */
export type ClientTls = SecureClientSessionOptions | undefined;

/** The headers of a request. */
export type OutgoingHeaders = Readonly<
  Record<string, string | number | readonly string[] | string[] | undefined>
>;

export interface Http2SessionOptions {
  /** Called for each new connection, so that renewed certificates are used. Must not be given for an `http:` authority. */
  readonly loadTls?: (() => Promise<ClientTls>) | undefined;
  /** A host that does not take the connection within this time, ms, is down; 3 s by default. */
  readonly tcpMs?: number | undefined;
}

/** How much is read at a time, bytes. */
const READ_BYTES = 64 * 1024;

/**
 * Interval of TCP keep-alive, which finds a dead host during a long call, ms. Servers of release 0.8.0 refuse frequent
 * HTTP/2 pings.
 */
const KEEP_ALIVE_MS = 10_000;

/**
 * The connection of one Connect transport to one server. It is opened on demand, and again after a loss. It counts as open
 * when the server's first SETTINGS frame has arrived. So a host that only accepts connections, or does not speak HTTP/2,
 * fails before a request is sent.
 *
 * A peer cannot cause an uncaught error: socket and session have error listeners from their creation to their end.
 * Connect's own `Http2SessionManager` removes its listener while the connection is idle or aborted.
 */
export class Http2Session implements Disposable {
  readonly authority: string;
  readonly #url: URL;
  readonly #loadTls: () => Promise<ClientTls>;
  readonly #tcpMs: number;
  readonly #connections = new Set<Http2Connection>();
  #opening: Promise<Http2Connection> | undefined;
  /** The end of validity of the last server certificate, as OpenSSL writes it. */
  #expiry: string | undefined;

  /** @param authority `http://host:port` for plain text, `https://host:port` for TLS */
  constructor(
    authority: string,
    { loadTls = async () => undefined, tcpMs = TCP_MS }: Http2SessionOptions = {},
  ) {
    this.#tcpMs = tcpMs;
    this.#url = new URL(authority);
    this.authority = this.#url.origin;
    this.#loadTls = loadTls;
  }

  /**
   * Opens the connection if it is not open.
   *
   * @param options `timeoutMs` may be a function: it is called again when its last time is over
   * @throws the error of Node.js or OpenSSL that says why it failed, ETIMEDOUT for a host that does not take the connection;
   *   the signal's reason; a TimeoutError after `timeoutMs`
   */
  async connect({
    signal,
    timeoutMs,
  }: {
    readonly signal: AbortSignal;
    readonly timeoutMs: number | (() => number);
  }): Promise<void> {
    const limit = { ms: timeoutMs, waitingFor: `connection to ${this.#url.host}` };
    try {
      await abortable(this.connection(), signal, limit);
    } catch (error) {
      if (signal.aborted || isTimeout(error)) this.drop();
      throw error;
    }
  }

  /** The expiry of the server's certificate; undefined without TLS and before {@link connect}. */
  get serverCertificateExpiry(): Date | undefined {
    return this.#expiry === undefined ? undefined : new Date(this.#expiry);
  }

  /** Closes the connection; calls under way fail with ECONNRESET. The next request opens another one. */
  drop(): void {
    this.#opening = undefined;
    for (const connection of this.#connections) connection.destroy();
  }

  /** Starts one request; called by Connect. @param headers with names in lower case */
  async request(
    method: string,
    path: string,
    headers: OutgoingHeaders,
    _options?: object,
  ): Promise<Http2Stream> {
    const connection = await this.connection();
    const block = encodeHeaders([[":method", method], [":path", path], ...fieldsOf(headers)]);
    return connection.request(block).on("error", ignore);
  }

  /** Called by Connect, which would send a ping after a long idle time. */
  notifyResponseByteRead(): void {}

  [Symbol.dispose](): void {
    this.drop();
  }

  /** The open connection. @throws the same as {@link connect} without a signal and a time limit */
  connection(): Promise<Http2Connection> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#loadTls().then((tls) => {
      if (this.#opening !== opening) throw new Error("the connection is not wanted any more");
      return this.#greet(tls);
    });
    this.#opening = opening;
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(opening: Promise<Http2Connection> | undefined): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  #greet(tls: ClientTls): Promise<Http2Connection> {
    const opening = this.#opening;
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const socket = this.#dial(tls, (chunk) => connection.receive(chunk));
      const connection = new Http2Connection(socket, this.#url, {
        onReady: () => {
          isOpen = true;
          resolve(connection);
        },
        onGoaway: () => this.#forget(opening),
        onClose: (error) => {
          this.#connections.delete(connection);
          this.#forget(opening);
          if (!isOpen) reject(error ?? closedEarly());
        },
      });
      this.#connections.add(connection);
      limitTcp(socket, { tcpMs: this.#tcpMs, hasAddress: isIP(bareHost(this.#url)) !== 0 });
    });
  }

  /** @param onData its chunk is overwritten by the next one, which may be that of another socket */
  #dial(tls: ClientTls, onData: (chunk: Buffer) => void): Socket {
    const { protocol, port } = this.#url;
    const host = bareHost(this.#url);
    const network = {
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      noDelay: true,
      onread: {
        buffer: readBuffer(),
        callback: (bytes: number, buffer: Uint8Array) => {
          onData(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          return true;
        },
      },
    };
    if (protocol !== "https:") return connectTcp({ ...network, host, port: Number(port || 80) });
    const name = isIP(host) === 0 ? { servername: host } : {};
    return connectTls({
      ...network,
      ...name,
      ...tls,
      // Here the certificate is at hand. To read it again would take a tenth of a handshake.
      checkServerIdentity: (name, certificate) => {
        this.#expiry = certificate.valid_to;
        return (tls?.checkServerIdentity ?? checkServerIdentity)(name, certificate);
      },
      host,
      port: Number(port || 443),
      ALPNProtocols: ["h2"],
    });
  }
}

/** One buffer for what all sockets read. Otherwise Node.js allocates 64 KiB for each chunk. */
let sharedBuffer: Buffer | undefined;

/** Made at its first use: a program may make no calls. */
function readBuffer(): Buffer {
  sharedBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
  return sharedBuffer;
}

function ignore(): void {}

function fieldsOf(headers: OutgoingHeaders): Header[] {
  return Object.entries(headers).flatMap(([name, value]): Header[] => {
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]);
  });
}

/** An IPv6 address has no brackets for node:net. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Ends a socket that is not connected in time. For a name, the time starts when its address is known. */
function limitTcp(
  socket: Socket,
  { tcpMs, hasAddress }: { readonly tcpMs: number; readonly hasAddress: boolean },
): void {
  const late = () => {
    if (socket.connecting) socket.destroy(notTaken(tcpMs));
  };
  // On a busy machine the connection may be open already, with its event still queued.
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer ??= setTimeout(() => setImmediate(late), tcpMs);
  };
  const clear = () => clearTimeout(timer);
  if (hasAddress) start();
  else socket.once("lookup", start);
  socket.once("connect", clear).once("close", clear);
}

function notTaken(tcpMs: number): Error {
  return Object.assign(new Error(`the connection was not accepted within ${tcpMs} ms`), {
    code: "ETIMEDOUT",
  });
}

function closedEarly(): Error {
  return Object.assign(new Error("the connection was closed before it was ready"), { code: "ECONNRESET" });
}
