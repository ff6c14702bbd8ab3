import type { ServerHttp2Stream } from "node:http2";
import {
  type ConnectRouter,
  type ContextValues,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import type { TransportConfig } from "@daos/config";
import { formatHostAddress } from "@daos/hostlist";
import { type Logger, limitRepeats } from "@daos/log";
import { peerAddressKey, peerCertificateKey } from "@daos/mgmt-service";
import { audienceKey, faultInterceptor } from "@daos/rpc";
import { grpcHandlers } from "@daos/rpc/server";
import { AUDITED_CALLS, audienceOf, createGrpcServer, DEFAULT_LIMITS, peerOf } from "@daos/security";
import { auditInterceptor, nameOf, peerKey } from "./audit/audit-interceptor.ts";
import { callerFrom, writeAudit } from "./audit/audit-log.ts";
import { faultListen } from "./faults.ts";
import { limitInterceptor } from "./limit-requests.ts";

/** The time that running calls get to end when the server stops, ms. */
const CLOSE_GRACE_MS = 2_000;

/** A listener that serves gRPC. */
export interface GrpcListener {
  readonly port: number;
  /** Reads the certificates again. @throws Fault, and keeps the old ones */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface GrpcListenOptions {
  readonly host: string;
  readonly port: number;
  readonly transport: TransportConfig;
  readonly routes: (router: ConnectRouter) => void;
  /** Observes every call and its outcome. */
  readonly observer?: Interceptor | undefined;
  readonly log: Logger;
  /** Receives a line for each call that changes something. */
  readonly audit: Logger;
}

/**
 * The peer of a request. Handlers see its address, and the certificate that the guard has accepted. Faults are shortened for
 * its role.
 */
function peerValues(stream: ServerHttp2Stream, path: string): ContextValues {
  const peer = peerOf({ stream });
  return createContextValues()
    .set(peerKey, peer)
    .set(peerAddressKey, peer?.address ?? "")
    .set(peerCertificateKey, peer?.kind === "certificate" ? peer.certificate.raw : undefined)
    .set(audienceKey, audienceOf(peer, path));
}

/** Starts the gRPC listener. @throws Fault listenAddressBusy, or about a certificate */
export async function listenGrpc(options: GrpcListenOptions): Promise<GrpcListener> {
  const { host, port, transport, routes, observer, log, audit } = options;
  const handlers = grpcHandlers({
    routes,
    readMaxBytes: DEFAULT_LIMITS.maxMessageBytes,
    interceptors: [
      ...(observer === undefined ? [] : [observer]),
      faultInterceptor,
      auditInterceptor(audit),
      limitInterceptor,
    ],
    contextValues: peerValues,
  });
  const { server, reload, close } = await createGrpcServer({
    transport,
    log,
    ...handlers,
    onDenied: (peer, path, { message }) => {
      if (!AUDITED_CALLS.has(path)) return;
      const refused = { outcome: "PERMISSION_DENIED", reason: message, ms: 0 };
      writeAudit(audit, { call: nameOf(path), caller: callerFrom(peer), ...refused });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(faultListen(formatHostAddress({ host, port }), error)));
    server.listen({ host, port }, resolve);
  });
  // A connection without a free descriptor is an error of the listener. It continues to listen.
  const quiet = limitRepeats(log);
  server.on("error", (error) => quiet.warn("a connection could not be accepted", { error }));
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return { port: bound, reload, close: () => close({ graceMs: CLOSE_GRACE_MS }) };
}
