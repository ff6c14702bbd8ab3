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
  /** The memory budget of unfinished requests; a default one when absent. */
  readonly budget?: ReceiveBudget | undefined;
  /** Logs calls that the role of their caller does not allow: one a minute for each address. */
  readonly onDenied?: CallLimits["onDenied"];
  readonly now?: (() => Date) | undefined;
  /** Interval of the checks for changed certificate files, ms; a minute by default. */
  readonly pollMs?: number | undefined;
}

/** A server of the control plane's gRPC services. */
export interface GrpcServer {
  /** The server, which does not listen yet: the caller must call `listen`. */
  readonly server: Http2Server | Http2SecureServer;
  /**
   * Reads the certificates again, uses them for new connections, and ends those of clients that are not trusted any
   * more.
   *
   * @throws Fault, and keeps the old ones
   */
  reload(): Promise<void>;
  /** Takes no more connections and calls, lets the running calls end for `graceMs`, then ends them. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Makes the HTTP/2 server of the control plane: TLS with client certificates or plain text, as the configuration says,
 * guarded ({@link guardServer}), and with every call authorised by the role of its caller ({@link guardHandler}). New
 * certificates in the configured files are used automatically, for new connections ({@link watchCertificates}).
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
  // The engines of this host need no certificate to serve, so an expired one does not prevent the start.
  const onWrongDates = (fault: Fault) =>
    log.error(
      "the server starts nevertheless, and other hosts and clients refuse it until this is corrected",
      {
        fault,
      },
    );
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
    await guard.recheckSessions();
  };
  const watch = watchCertificates({ transport, log, now, pollMs: options.pollMs, onChange: reload });
  server.once("close", () => watch[Symbol.dispose]());
  return { server, reload, close: closer(server) };
}

/** An outdated list still applies: revoked certificates stay revoked. */
function warnOfOldList(
  { revocations }: Identity,
  { crl }: TransportConfig,
  log: Logger,
  now: () => Date = () => new Date(),
): void {
  const nextUpdate = revocations?.nextUpdate;
  if (nextUpdate !== undefined && nextUpdate < now())
    log.warn("the revocation list is outdated; it is used nevertheless", { crl, nextUpdate });
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
