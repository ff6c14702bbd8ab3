import { AsyncLocalStorage } from "node:async_hooks";
import type { X509Certificate } from "node:crypto";
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Fault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { addressOf, connectionAdmission } from "./admit-connection.ts";
import { CancelledCalls } from "./cancelled-calls.ts";
import { CertifiedSessions } from "./certified-sessions.ts";
import { ConnectionCounts } from "./connection-counts.ts";
import { type ConnectionLimits, DEFAULT_LIMITS } from "./connection-limits.ts";
import { explainTlsError } from "./explain-tls-error.ts";
import { faultConnectionLimit, faultPlainText, faultTlsAgainstPlainText } from "./faults.ts";
import { GrpcCode } from "./grpc-refusal.ts";
import { guardSession } from "./guard-session.ts";
import { HandshakePlaces } from "./handshake-places.ts";
import { KeptVerdicts } from "./kept-verdicts.ts";
import { type Peer, setPeer } from "./peer.ts";
import { REFUSAL_MS, refuseConnection } from "./refuse-connection.ts";
import type { Revocations } from "./revocations.ts";
import type { PeerVerdict } from "./verify-peer.ts";
import { warnOnceAMinute } from "./warn-once-a-minute.ts";

/** Returns the authorities that the server trusts now; called for every connection, so that a reload takes effect. */
interface TrustedAuthorities {
  readonly authorities: readonly X509Certificate[];
  readonly caPath: string;
  readonly revocations: Revocations | undefined;
}

export interface GuardOptions {
  readonly log: Logger;
  /** Needed by a server with TLS. */
  readonly trust?: (() => TrustedAuthorities) | undefined;
  readonly limits?: ConnectionLimits | undefined;
  readonly now?: (() => Date) | undefined;
}

/** The guard of a server, for the server's owner. */
export interface ServerGuard {
  /** Checks the connected clients again. Call it after a change of the trusted authorities. */
  recheckSessions(): Promise<void>;
}

/** First byte of a TLS handshake record; HTTP/2 in plain text starts with `PRI`. */
const TLS_HANDSHAKE = 0x16;
const HTTP2_PREFACE = 0x50;
/** An empty SETTINGS frame: a TLS client then reports "wrong version number", which is the right reason. */
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** Interval of the checks for sessions whose certificates have expired, ms. */
const EXPIRY_MS = 1_000;

/**
 * Adds a guard to an HTTP/2 server, before it listens: who may connect (certificate, role, ALPN, TLS or plain text as
 * configured), how many, and how long each step may take. A client that is refused for its certificate gets the reason
 * as the answer to its first call (gRPC status UNAUTHENTICATED) and is then disconnected; the log has it too.
 *
 * The server must have been created with `identityServerOptions` and `http2ServerLimits`.
 */
export function guardServer(server: Http2Server | Http2SecureServer, options: GuardOptions): ServerGuard {
  return new Guard(server, options);
}

/** A connection that has no session yet. */
interface Arrival {
  readonly address: string;
  readonly socket: Socket;
}

class Guard implements ServerGuard {
  readonly #server: Http2Server | Http2SecureServer;
  readonly #log: Logger;
  readonly #limits: ConnectionLimits;
  readonly #trust: (() => TrustedAuthorities) | undefined;
  readonly #now: () => Date;
  readonly #warn: (key: string, fault: Fault) => void;
  /** Connections that have sent data and are not identified yet. */
  readonly #handshakes: HandshakePlaces;
  readonly #connections: ConnectionCounts;
  readonly #agents: ConnectionCounts;
  readonly #cancelled: CancelledCalls;
  readonly #certified: CertifiedSessions;
  readonly #verdicts = new KeptVerdicts();
  /** A TLS socket does not know the connection below it, and after a failed handshake not even its address. */
  readonly #arrivals = new AsyncLocalStorage<Arrival>();
  /** Node.js makes the session while its listener runs, so this is the peer of the session that is being made. */
  #entering: Peer | undefined;

  constructor(server: Http2Server | Http2SecureServer, options: GuardOptions) {
    const { log, limits = DEFAULT_LIMITS, now = () => new Date() } = options;
    this.#server = server;
    this.#log = log;
    this.#limits = limits;
    this.#trust = options.trust;
    this.#now = now;
    this.#warn = warnOnceAMinute(log);
    this.#handshakes = new HandshakePlaces(limits.maxHandshakes, limits.maxHandshakesPerAddress);
    this.#connections = new ConnectionCounts(limits.maxConnections, limits.maxConnectionsPerAddress);
    this.#agents = new ConnectionCounts(limits.maxAgentConnections, limits.maxAgentConnectionsPerAddress);
    this.#cancelled = new CancelledCalls(limits.cancelled, this.#warn);
    this.#certified = new CertifiedSessions({
      verify: ({ certificate, address }) => {
        const verdict = this.#verify(certificate, address);
        return verdict.kind === "refused" ? verdict.fault : undefined;
      },
      now,
      onEnded: ({ address }, fault) => this.#warn(`${address} ${fault.code} ended`, fault),
    });
    this.#guardConnections();
    if (options.trust !== undefined) this.#guardTls();
    server.on("session", (session: ServerHttp2Session) => this.#onSession(session));
    server.on("sessionError", (error: Error) => log.debug("HTTP/2 connection failed", { error }));
  }

  recheckSessions(): Promise<void> {
    return this.#certified.checkAll();
  }

  #guardConnections(): void {
    const { maxConnections } = this.#limits;
    const onConnection = takeListener<Socket>(this.#server, "connection");
    this.#server.maxConnections = maxConnections;
    this.#server.on("drop", () =>
      this.#warn("connection limit", faultConnectionLimit("all clients", maxConnections)),
    );
    const admit = connectionAdmission({
      limits: this.#limits,
      warn: this.#warn,
      onFirstByte: (byte, socket, address) => this.#onFirstByte(byte, { socket, address }, onConnection),
    });
    this.#server.on("connection", admit);
  }

  #onFirstByte(byte: number, arrival: Arrival, onConnection: (socket: Socket) => void): void {
    const { socket, address } = arrival;
    const secure = this.#trust !== undefined;
    this.#handshakes.take(socket, address);
    if (secure && byte === TLS_HANDSHAKE) this.#arrivals.run(arrival, () => onConnection(socket));
    else if (secure && byte === HTTP2_PREFACE) {
      const fault = faultPlainText(address);
      this.#warn(`${address} plain`, fault);
      refuseConnection(socket, fault);
    } else if (!secure && byte === TLS_HANDSHAKE) {
      this.#warn(`${address} tls`, faultTlsAgainstPlainText(address));
      socket.resume();
      socket.end(EMPTY_SETTINGS);
      setTimeout(() => socket.destroy(), REFUSAL_MS).unref();
    } else if (!secure && byte === HTTP2_PREFACE) {
      const timer = setTimeout(() => socket.destroy(), this.#limits.handshakeMs);
      socket.once("close", () => clearTimeout(timer));
      const onSpoken = () => {
        clearTimeout(timer);
        this.#handshakes.leave(socket);
      };
      this.#enter(onConnection, socket, { kind: "insecure", address }, (session) =>
        session.once("remoteSettings", onSpoken),
      );
    } else socket.destroy();
  }

  #guardTls(): void {
    const onSecure = takeListener<TLSSocket>(this.#server, "secureConnection");
    this.#server.on("secureConnection", (socket: TLSSocket) => {
      const arrival = this.#arrivals.getStore() ?? { address: addressOf(socket), socket };
      this.#onSecure(socket, arrival, onSecure);
    });
    this.#server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      const peer = this.#arrivals.getStore()?.address ?? addressOf(socket);
      const fault = explainTlsError(error, { side: "server", peer });
      this.#warn(`${peer} ${fault.code}`, fault);
      socket.destroy();
    });
    const expiry = setInterval(() => this.#certified.endExpired(), EXPIRY_MS);
    expiry.unref();
    this.#server.once("close", () => clearInterval(expiry));
  }

  #onSecure(
    socket: TLSSocket,
    { address, socket: below }: Arrival,
    onSecure: (socket: TLSSocket) => void,
  ): void {
    socket.on("error", () => {});
    const verdict = this.#verify(socket.getPeerX509Certificate(), address);
    if (verdict.kind === "refused") {
      this.#warn(`${address} ${verdict.fault.code}`, verdict.fault);
      if (socket.alpnProtocol === "h2") refuseConnection(socket, verdict.fault);
      else socket.destroy();
    } else if (socket.alpnProtocol !== "h2") {
      this.#log.debug("connection without HTTP/2 (ALPN) dropped", { address });
      socket.destroy();
    } else {
      const { role, certificate } = verdict;
      if (role === "agent" && !this.#admitAgent(socket, address)) return;
      this.#enter(onSecure, socket, { kind: "certificate", address, role, certificate }, () =>
        this.#handshakes.leave(below),
      );
    }
  }

  #verify(certificate: X509Certificate | undefined, peer: string): PeerVerdict {
    if (this.#trust === undefined) throw new Error("a server without TLS has no certificates to verify");
    return this.#verdicts.verify(certificate, { ...this.#trust(), peer, now: this.#now() });
  }

  #admitAgent(socket: TLSSocket, address: string): boolean {
    const place = this.#agents.add(address);
    if (place === undefined) {
      const most = this.#limits.maxAgentConnectionsPerAddress;
      const fault = faultConnectionLimit(`agents, as on ${address},`, most);
      this.#warn(`${address} agents`, fault);
      refuseConnection(socket, fault, GrpcCode.resourceExhausted);
      return false;
    }
    socket.once("close", () => place[Symbol.dispose]());
    return true;
  }

  /** Makes the session of a peer, unless the peer has too many sessions or keeps cancelling its calls. */
  #enter<S extends Socket>(
    listener: (socket: S) => void,
    socket: S,
    peer: Peer,
    onSession: (session: ServerHttp2Session) => void,
  ): void {
    const { address } = peer;
    const refusal = this.#cancelled.refusal(peer);
    if (refusal !== undefined) {
      refuseConnection(socket, refusal, GrpcCode.resourceExhausted);
      return;
    }
    const place = this.#connections.add(address);
    if (place === undefined) {
      this.#warn(`${address} limit`, faultConnectionLimit(address, this.#limits.maxConnectionsPerAddress));
      socket.destroy();
      return;
    }
    socket.once("close", () => place[Symbol.dispose]());
    this.#entering = peer;
    this.#server.once("session", onSession);
    try {
      listener(socket);
    } finally {
      this.#entering = undefined;
      this.#server.off("session", onSession);
    }
  }

  #onSession(session: ServerHttp2Session): void {
    const peer = this.#entering;
    if (peer === undefined) {
      session.destroy();
      return;
    }
    setPeer(session, peer);
    if (peer.kind === "certificate") {
      this.#certified.add(session, peer);
      if (peer.role === "agent") session.settings({ maxConcurrentStreams: this.#limits.maxAgentStreams });
    }
    this.#cancelled.watch(session, peer);
    guardSession(session, this.#limits);
  }
}

/** The one listener that Node.js has put on a new server; it is called from here on only. */
function takeListener<S extends Socket>(
  server: Http2Server | Http2SecureServer,
  event: "connection" | "secureConnection",
): (socket: S) => void {
  const [listener, ...others] = server.listeners(event) as ((socket: S) => void)[];
  if (listener === undefined || others.length > 0)
    throw new Error("the server has been changed before guardServer");
  server.removeAllListeners(event);
  return (socket) => listener.call(server, socket);
}
