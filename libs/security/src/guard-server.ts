import { AsyncLocalStorage } from "node:async_hooks";
import type { X509Certificate } from "node:crypto";
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "@daos/log";
import { AgentConnections } from "./agent-connections.ts";
import { type ConnectionLimits, DEFAULT_LIMITS } from "./connection-limits.ts";
import { ConnectionRate } from "./connection-rate.ts";
import { explainTlsError } from "./explain-tls-error.ts";
import {
  faultConnectionLimit,
  faultConnectionRate,
  faultPlainText,
  faultTlsAgainstPlainText,
} from "./faults.ts";
import { firstByte } from "./first-byte.ts";
import { GrpcCode } from "./grpc-refusal.ts";
import { guardSession } from "./guard-session.ts";
import { type Peer, setPeer } from "./peer.ts";
import { REFUSAL_MS, refuseConnection } from "./refuse-connection.ts";
import { verifyPeer } from "./verify-peer.ts";
import { warnOnceAMinute } from "./warn-once-a-minute.ts";

/** What the server trusts at this moment; asked again for every connection, so that a reload takes effect. */
interface TrustedAuthorities {
  readonly authorities: readonly X509Certificate[];
  readonly caPath: string;
}

export interface GuardOptions {
  readonly log: Logger;
  /** Needed by a server with TLS. */
  readonly trust?: (() => TrustedAuthorities) | undefined;
  readonly limits?: ConnectionLimits | undefined;
  readonly now?: (() => Date) | undefined;
}

/** First byte of a TLS handshake record; HTTP/2 in plain text starts with `PRI`. */
const TLS_HANDSHAKE = 0x16;
const HTTP2_PREFACE = 0x50;
/** An empty SETTINGS frame: makes a TLS client say "wrong version number", which says what is wrong. */
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/**
 * Puts a guard in front of an HTTP/2 server, before it listens: who may connect (certificate, role, ALPN, TLS or plain
 * text as configured), how many, and how long each step may take. A client that is refused for its certificate gets the
 * reason as the answer to its first call (gRPC status UNAUTHENTICATED) and is then disconnected; the log has it too.
 *
 * The server must have been created with `identityServerOptions` and `http2ServerLimits`.
 */
export function guardServer(server: Http2Server | Http2SecureServer, options: GuardOptions): void {
  const { log, limits = DEFAULT_LIMITS } = options;
  const secure = options.trust !== undefined;
  const quiet = warnOnceAMinute(log);
  const counts = new Map<string, number>();
  const rate = new ConnectionRate(limits.connectionBurst, limits.connectionsPerSecond);
  // A socket whose handshake has failed no longer knows its address.
  const origin = new AsyncLocalStorage<string>();
  // Node.js makes the session while its listener runs, so this is the peer of the session that is being made.
  let entering: Peer | undefined;
  const enter = <S extends Socket>(listener: (socket: S) => void, socket: S, peer: Peer) => {
    entering = peer;
    try {
      listener.call(server, socket);
    } finally {
      entering = undefined;
    }
  };
  const [onConnection, ...others] = server.listeners("connection") as ((socket: Socket) => void)[];
  if (onConnection === undefined || others.length > 0)
    throw new Error("the server has been changed before guardServer");
  server.maxConnections = limits.maxConnections;
  server.on("drop", () =>
    quiet("connection limit", faultConnectionLimit("all clients", limits.maxConnections)),
  );

  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const address = addressOf(socket);
    const count = (counts.get(address) ?? 0) + 1;
    socket.on("error", () => {});
    if (count > limits.maxConnectionsPerAddress) {
      quiet(`${address} limit`, faultConnectionLimit(address, limits.maxConnectionsPerAddress));
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.once("close", () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
    socket.setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    const delay = rate.delay(address, limits.handshakeMs);
    if (delay === undefined) {
      quiet(`${address} rate`, faultConnectionRate(address, limits.connectionsPerSecond));
      socket.destroy();
    } else if (delay > 0) {
      setTimeout(() => admit(socket, address), delay);
    } else admit(socket, address);
  });
  const admit = (socket: Socket, address: string) => {
    if (socket.destroyed) return;
    firstByte(socket, limits.handshakeMs, (byte) => {
      if (secure && byte === TLS_HANDSHAKE) origin.run(address, () => onConnection.call(server, socket));
      else if (secure && byte === HTTP2_PREFACE) {
        const fault = faultPlainText(address);
        quiet(`${address} plain`, fault);
        refuseConnection(socket, fault);
      } else if (!secure && byte === TLS_HANDSHAKE) {
        quiet(`${address} tls`, faultTlsAgainstPlainText(address));
        socket.resume();
        socket.end(EMPTY_SETTINGS);
        setTimeout(() => socket.destroy(), REFUSAL_MS).unref();
      } else if (!secure && byte === HTTP2_PREFACE) {
        enter(onConnection, socket, { kind: "insecure", address });
      } else socket.destroy();
    });
  };

  const agents = new AgentConnections(limits.maxAgentConnections, limits.maxAgentConnectionsPerAddress);
  const admitAgent = (socket: TLSSocket, address: string): boolean => {
    const place = agents.add(address);
    if (place === undefined) {
      const fault = faultConnectionLimit(`agents, as on ${address},`, limits.maxAgentConnectionsPerAddress);
      quiet(`${address} agents`, fault);
      refuseConnection(socket, fault, GrpcCode.resourceExhausted);
      return false;
    }
    socket.once("close", () => place[Symbol.dispose]());
    return true;
  };
  if (options.trust !== undefined) {
    const { trust, now = () => new Date() } = options;
    const [onSecure, ...more] = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
    if (onSecure === undefined || more.length > 0)
      throw new Error("the server has been changed before guardServer");
    server.removeAllListeners("secureConnection");
    server.on("secureConnection", (socket: TLSSocket) => {
      const address = addressOf(socket);
      socket.on("error", () => {});
      const verdict = verifyPeer(socket.getPeerX509Certificate(), { ...trust(), peer: address, now: now() });
      if (verdict.kind === "refused") {
        quiet(`${address} ${verdict.fault.code}`, verdict.fault);
        if (socket.alpnProtocol === "h2") refuseConnection(socket, verdict.fault);
        else socket.destroy();
      } else if (socket.alpnProtocol !== "h2") {
        log.debug("connection without HTTP/2 (ALPN) dropped", { address });
        socket.destroy();
      } else {
        const { role, certificate } = verdict;
        if (role === "agent" && !admitAgent(socket, address)) return;
        enter(onSecure, socket, { kind: "certificate", address, role, certificate });
      }
    });
    server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      const peer = origin.getStore() ?? addressOf(socket);
      const fault = explainTlsError(error, { side: "server", peer });
      quiet(`${peer} ${fault.code}`, fault);
      socket.destroy();
    });
  }

  server.on("session", (session: ServerHttp2Session) => {
    if (entering === undefined) {
      session.destroy();
      return;
    }
    setPeer(session, entering);
    if (entering.kind === "certificate" && entering.role === "agent")
      session.settings({ maxConcurrentStreams: limits.maxAgentStreams });
    guardSession(session, limits);
  });
  server.on("sessionError", (error: Error) => log.debug("HTTP/2 connection failed", { error }));
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? "an unknown address").replace(/^::ffff:/, "");
}
