import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from "node:http2";
import type { Socket } from "node:net";
import { resolve } from "node:path";
import type { Fault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { maxOpenFiles } from "@daos/sys";
import { type ConnectionLimits, http2ServerLimits, limitsWithin } from "./connection-limits.ts";
import { type CallHandlers, type CallLimits, guardHandler } from "./guard-handler.ts";
import { guardServer } from "./guard-server.ts";
import { type Identity, loadIdentity } from "./load-identity.ts";
import type { ReceiveBudget } from "./receive-budget.ts";
import { identityServerOptions } from "./tls-options.ts";
import type { TransportConfig } from "./transport-config.ts";
import { watchCertificates } from "./watch-certificates.ts";

export interface GrpcServerOptions extends CallHandlers {
  readonly transport: TransportConfig;
  readonly log: Logger;
  readonly limits?: ConnectionLimits | undefined;
  /** What unfinished requests may have in memory; the default one if not given. */
  readonly budget?: ReceiveBudget | undefined;
  /** Gets calls that the role of their caller does not allow, of each address one a minute. */
  readonly onDenied?: CallLimits["onDenied"];
  readonly now?: (() => Date) | undefined;
  /** How often changed certificate files are looked for; a minute by default. */
  readonly pollMs?: number | undefined;
}

/** A server of the control plane's gRPC services. */
export interface GrpcServer {
  /** Not listening yet: `listen` is the caller's. */
  readonly server: Http2Server | Http2SecureServer;
  /**
   * Reads the certificates again, uses them for new connections, and ends those of clients that are not trusted any more.
   *
   * @throws Fault, and goes on with the old ones
   */
  reload(): Promise<void>;
  /** Takes no more connections and calls, lets the running calls end for `graceMs`, then ends them. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Makes the HTTP/2 server of the control plane: TLS with client certificates or plain text, as the configuration says,
 * guarded ({@link guardServer}), and with every call authorised by the role of its caller ({@link guardHandler}). New
 * certificates in the configured files come into use by themselves, for new connections ({@link watchCertificates}).
 *
 * @throws Fault for a file or certificate that cannot be used, except for its dates, which are logged
 */
export async function createGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { transport, log, limits = limitsWithin(maxOpenFiles()), budget, onDenied, now } = options;
  const guarded = guardHandler(options, log, { budget, maxAgentStreams: limits.maxAgentStreams, onDenied });
  if (transport.allowInsecure) {
    log.warn("allow_insecure: connections are in plain text, and everyone may do everything");
    const server = createServer(http2ServerLimits(limits));
    server.on("stream", guarded);
    guardServer(server, { log, limits });
    return { server, reload: async () => {}, close: closer(server) };
  }
  // The engines of this host need no certificate to serve, so an expired one does not keep them down.
  const onWrongDates = (fault: Fault) =>
    log.error("the server starts all the same, and other hosts and clients refuse it until this is mended", {
      fault,
    });
  let identity: Identity = await loadIdentity(transport, { roles: ["server"], now, onWrongDates });
  warnOfOldList(identity, transport, log, now);
  const server = createSecureServer({
    ...http2ServerLimits(limits),
    ...identityServerOptions(identity),
    handshakeTimeout: limits.handshakeMs,
  });
  server.on("stream", guarded);
  const caPath = resolve(transport.caCert);
  const trust = () => ({
    authorities: identity.authorities,
    caPath,
    revocations: identity.revocations,
  });
  const guard = guardServer(server, { log, limits, now, trust });
  const reload = async () => {
    const next = await loadIdentity(transport, { roles: ["server"], now });
    server.setSecureContext(identityServerOptions(next));
    identity = next;
    warnOfOldList(identity, transport, log, now);
    await guard.judgeSessions();
  };
  const watch = watchCertificates({ transport, log, now, pollMs: options.pollMs, onChange: reload });
  server.once("close", () => watch[Symbol.dispose]());
  return { server, reload, close: closer(server) };
}

/** A list that is older than it says it may be still counts: what it revokes stays revoked. */
function warnOfOldList(
  { revocations }: Identity,
  { crl }: TransportConfig,
  log: Logger,
  now: () => Date = () => new Date(),
): void {
  const nextUpdate = revocations?.nextUpdate;
  if (nextUpdate !== undefined && nextUpdate < now())
    log.warn("the revocation list ought to have been replaced; it is used all the same", { crl, nextUpdate });
}

/** `server.close` alone waits until every client has gone by itself. */
function closer(server: Http2Server | Http2SecureServer): GrpcServer["close"] {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  return async ({ graceMs = 5_000 } = {}) => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const session of sessions) session.close();
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  };
}
