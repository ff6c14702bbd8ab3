import { Code, ConnectError } from "@connectrpc/connect";
import { cleanText, Fault, FaultCode, type FaultDomain } from "@daos/fault";
import { ctl } from "@daos/proto";
import { faultFromText } from "./fault-from-text.ts";

/** The context of a failed call. */
export interface CallContext {
  /** The request, as in `scan storage`. */
  readonly attempted: string;
  /** The host that was called, `host:port`. */
  readonly host: string;
  /** The connection was open, so the request may have been carried out. */
  readonly sent?: boolean;
}

/**
 * Turns the failure of a call into a fault, for clients: the server's own fault if it sent one, else a fault for the way in
 * which the connection or call ended. A fault is returned unchanged.
 */
export function fromConnectError(error: unknown, context: CallContext): Fault {
  if (error instanceof Fault) return error;
  return connectionFault(error, context) ?? statusFault(ConnectError.from(error), context);
}

function statusFault(error: ConnectError, context: CallContext): Fault {
  const [detail] = error.findDetails(ctl.FaultDetailSchema);
  if (detail !== undefined) {
    return new Fault({
      domain: detail.domain as FaultDomain,
      code: detail.code,
      description: detail.description,
      reason: detail.reason === "" ? undefined : detail.reason,
      resolution: detail.resolution,
      leader: detail.leader === "" ? undefined : detail.leader,
      cause: error,
    });
  }
  const reason = error.rawMessage;
  // Node.js ends the open streams of a closed connection with CANCEL.
  const ending = reason.startsWith("http/2 stream closed")
    ? CLOSED
    : (notGrpc(reason) ?? ENDINGS.get(error.code));
  if (ending !== undefined) return failureFault(ending, { message: reason }, context, error);
  return (
    faultFromText(reason, undefined, error) ??
    failureFault(unknownFailure(context.host), { message: reason }, context, error)
  );
}

/** Maximum length of a content type that is shown, in characters. */
const MAX_TYPE = 80;

/**
 * For the texts of Connect about an answer that is not gRPC: an error of HTTP, or a page. With HTTP 404, a server of
 * Connect says that it does not know the request.
 */
function notGrpc(text: string): Failure | undefined {
  const [, status, type] = /^(?:HTTP (?!404)(\d{3})|unsupported content type (.+))$/.exec(text) ?? [];
  if (status === undefined && type === undefined) return undefined;
  if (status?.startsWith("5") === true) {
    return {
      code: FaultCode.gatewayFailed,
      reason: `a proxy answered with HTTP status ${status}`,
      resolution:
        "look in the log of the proxy, or connect without it; the request may have been carried out",
    };
  }
  return {
    code: FaultCode.notDaosServer,
    reason:
      status === undefined
        ? `the answer is ${type === "null" ? "of no type" : cleanText(type ?? "", MAX_TYPE)}, not gRPC`
        : `the answer is HTTP status ${status}`,
    resolution: "correct the address or the port; a proxy on the way must pass gRPC on",
  };
}

function unknownFailure(host: string): Failure {
  return {
    domain: "general",
    code: FaultCode.unknown,
    resolution: `look in the log of the server on ${host}`,
  };
}

/** One kind of failure. The default reason is the error's own text. */
interface Failure {
  readonly code: number;
  readonly domain?: FaultDomain;
  readonly reason?: string | ((code: string) => string) | undefined;
  readonly resolution: string;
}

const NO_PERMISSION: Failure = {
  code: FaultCode.securityUnknown,
  domain: "security",
  resolution: "use a certificate whose role may do this (transport_config in the configuration file)",
};

/** The ways in which a call can end without a fault of the server. */
const ENDINGS: ReadonlyMap<Code, Failure> = new Map([
  [Code.Canceled, { code: FaultCode.cancelled, reason: "cancelled", resolution: "repeat the command" }],
  [
    Code.DeadlineExceeded,
    {
      code: FaultCode.timedOut,
      reason: "no answer within the deadline",
      resolution: "check that the host is up and not overloaded, or allow more time with --timeout",
    },
  ],
  [
    Code.Unimplemented,
    {
      code: FaultCode.requestUnsupported,
      reason: "the server does not know this request",
      resolution: "run a server of the same release as dmg",
    },
  ],
  [Code.PermissionDenied, NO_PERMISSION],
  [Code.Unauthenticated, NO_PERMISSION],
]);

/** One kind of connection failure, by the codes of Node.js, OpenSSL and nghttp2. */
interface ConnectionFailure extends Failure {
  readonly codes: RegExp;
}

const CLOSED: ConnectionFailure = {
  codes:
    /^(?:ECONNRESET|EPIPE|ECONNABORTED|ERR_HTTP2_STREAM_\w+|ERR_HTTP2_INVALID_SESSION|ERR_STREAM_PREMATURE_CLOSE|ERR_STREAM_DESTROYED|ERR_HTTP2_INVALID_STREAM|ERR_HTTP2_GOAWAY_SESSION)$/,
  code: FaultCode.connectionLost,
  reason: "the connection was closed",
  resolution:
    "check that the server still runs; if it uses certificates, leave out -i; the request may have been carried out",
};

const FAILURES: readonly ConnectionFailure[] = [
  {
    codes: /^ERR_HTTP2_STREAM_REFUSED$/,
    code: FaultCode.requestNotTaken,
    reason: "the server did not take the request",
    resolution: "repeat the command; see in the log of that server whether it is being stopped",
  },
  {
    codes: /^ECONNREFUSED$/,
    code: FaultCode.connectionRefused,
    reason: "connection refused",
    resolution: "start daos-server on that host, or correct the port (-l host:port)",
  },
  {
    codes: /^(?:ENOTFOUND|EAI_\w+)$/,
    code: FaultCode.hostUnknown,
    reason: "the host name cannot be resolved",
    resolution: "correct the host name, or add it to DNS or /etc/hosts",
  },
  {
    codes: /^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL)$/,
    code: FaultCode.hostUnreachable,
    reason: "the host cannot be reached",
    resolution: "check that the host is up, and the network and firewalls on the way",
  },
  {
    codes:
      /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE)$/,
    code: FaultCode.notDaosServer,
    reason: "the host does not speak TLS",
    resolution: "use -i if the server runs with allow_insecure, or correct the port",
  },
  {
    codes: /^ERR_SSL_\w*NO_APPLICATION_PROTOCOL$/,
    code: FaultCode.notDaosServer,
    reason: "the peer does not speak HTTP/2",
    resolution: "correct the port",
  },
  {
    codes:
      /^ERR_SSL_\S*ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)$|^ERR_SSL_\S*CERTIFICATE\S*$|^CRYPTO_\w+$/,
    code: FaultCode.certificateRefused,
    domain: "security",
    reason: (code) => `the server refuses the certificate${tlsAlert(code)}`,
    resolution: "use a certificate of the system's own CA that has not expired (transport_config)",
  },
  {
    codes: /^ERR_SSL_\S*ALERT_/,
    code: FaultCode.connectionFailed,
    reason: (code) => `the server ends the TLS handshake${tlsAlert(code)}`,
    resolution:
      "check that this side has a certificate of the system (transport_config), and look in the log of that server",
  },
  {
    codes:
      /^(?:UNABLE_TO_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|ERR_TLS_CERT\w+|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)$/,
    code: FaultCode.certificateRefused,
    domain: "security",
    resolution: "check ca_cert and server_name in the configuration file, and the server's certificate",
  },
  {
    codes: /^ERR_(?:SSL|TLS)_\S+$/,
    code: FaultCode.connectionFailed,
    reason: (code) => `no TLS connection: ${inWords(code)}`,
    resolution: "check that both sides use TLS and the certificates of the same system (transport_config)",
  },
  {
    codes: /^(?:ERR_HTTP2_ERROR|ERR_HTTP2_SESSION_ERROR|HPE_\w+|ERR_HTTP2_PROTOCOL\w*)$/,
    code: FaultCode.notDaosServer,
    reason: "the peer does not speak HTTP/2",
    resolution: "correct the port; leave out -i if the server uses certificates",
  },
  CLOSED,
];

function connectionFault(error: unknown, context: CallContext): Fault | undefined {
  for (const { code, message } of errorChain(error)) {
    const failure = FAILURES.find(({ codes }) => codes.test(code));
    if (failure === undefined) continue;
    const isLoss = context.sent === true && BEFORE_SENDING.has(failure.code);
    return failureFault(isLoss ? lossBy(failure) : failure, { code, message }, context, error);
  }
  return undefined;
}

/** The failures of a connection that is being opened. One that is open fails in the same ways when its host dies. */
const BEFORE_SENDING: ReadonlySet<number> = new Set([
  FaultCode.connectionRefused,
  FaultCode.hostUnknown,
  FaultCode.hostUnreachable,
  FaultCode.notDaosServer,
]);

/** The same failure after the request was sent, which may have been carried out. */
function lossBy({ code, reason }: Failure): Failure {
  return code === FaultCode.notDaosServer ? CLOSED : { ...CLOSED, reason };
}

/** ` (TLS alert: bad certificate)`, as programs in Go call it; nothing for what this side itself has found. */
function tlsAlert(code: string): string {
  const [, alert] = /ALERT_(\w+)$/.exec(code) ?? [];
  return alert === undefined ? "" : ` (TLS alert: ${inWords(alert)})`;
}

/** The words of a code of OpenSSL, whose own text names its source files. */
function inWords(code: string): string {
  return code
    .replace(/^ERR_(?:SSL|TLS)_/, "")
    .toLowerCase()
    .replaceAll("_", " ");
}

function failureFault(
  failure: Failure,
  { code = "", message }: { readonly code?: string; readonly message: string },
  { attempted, host }: CallContext,
  cause: unknown,
): Fault {
  return new Fault({
    domain: failure.domain ?? "client",
    code: failure.code,
    description: `cannot ${attempted} on ${host}`,
    reason: (typeof failure.reason === "function" ? failure.reason(code) : failure.reason) ?? message,
    resolution: failure.resolution,
    cause,
  });
}

/** The system error codes of an error and its causes, outermost first. */
function* errorChain(error: unknown): Generator<{ readonly code: string; readonly message: string }> {
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    if ("code" in at && typeof at.code === "string") yield { code: at.code, message: at.message };
    if (at instanceof AggregateError) for (const inner of at.errors) yield* errorChain(inner);
  }
}
