import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Fault } from "@daos/fault";
import { type Logger, limitRepeats } from "@daos/log";
import { authorize, RPC_ROLES } from "./authorize.ts";
import { DEFAULT_LIMITS } from "./connection-limits.ts";
import { faultUnknownCall } from "./faults.ts";
import { GrpcCode, refuseStream } from "./grpc-refusal.ts";
import { guardBody } from "./guard-body.ts";
import { METHOD_LIMITS } from "./method-limits.ts";
import { type Peer, peerOf } from "./peer.ts";
import { ReceiveBudget, shareOf } from "./receive-budget.ts";
import { warnOnceAMinute } from "./warn-once-a-minute.ts";

/** A listener for `request` of an HTTP/2 server, such as `connectNodeAdapter` makes. */
export type RequestHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** A listener for `stream` of an HTTP/2 server. */
export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** The handlers of allowed calls, as `grpcHandlers` makes them. */
export interface CallHandlers {
  /** Serves a call from its stream. @returns false for a call that is `handler`'s */
  readonly unary?: ((stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean) | undefined;
  readonly handler: RequestHandler;
}

export interface CallLimits {
  /** The memory budget for requests that the server is receiving. */
  readonly budget?: ReceiveBudget | undefined;
  readonly maxAgentStreams?: number | undefined;
  /** Logs calls that the role of their caller does not allow: one a minute for each address. */
  readonly onDenied?: ((peer: Peer, path: string, fault: Fault) => void) | undefined;
}

/**
 * Passes a call to the handlers only if it is in the table of calls and the role of the peer allows it:
 * {@link authorize}. In plain text every call of the table passes. A request of an unknown peer, as on a server without
 * `guardServer`, never passes. Headers that would make a handler throw are made harmless.
 *
 * @returns a listener for `stream`: both ways to serve a call pass through here
 */
export function guardHandler(
  { unary, handler }: CallHandlers,
  log: Logger,
  {
    budget = new ReceiveBudget(),
    maxAgentStreams = DEFAULT_LIMITS.maxAgentStreams,
    onDenied,
  }: CallLimits = {},
): StreamHandler {
  const warn = warnOnceAMinute(log);
  const quiet = limitRepeats(log);
  const agentCalls = new WeakMap<Http2Session, number>();
  /** A client that has not read SETTINGS_MAX_CONCURRENT_STREAMS yet may repeat a refused stream. (RFC 9113, 8.7) */
  const admitStream = (stream: ServerHttp2Stream): boolean => {
    const { session } = stream;
    if (session === undefined) return false;
    const calls = (agentCalls.get(session) ?? 0) + 1;
    if (calls > maxAgentStreams) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return false;
    }
    agentCalls.set(session, calls);
    stream.once("close", () => agentCalls.set(session, (agentCalls.get(session) ?? 1) - 1));
    return true;
  };
  return (stream, headers) => {
    const path = headers[":path"] ?? "";
    const peer = peerOf({ stream });
    if (peer === undefined) {
      stream.destroy();
      return;
    }
    const refusal = authorizeCall(peer, path);
    if (refusal !== undefined) {
      const logged = warn(`${peer.address} ${refusal.code}`, refusal.fault, { address: peer.address });
      refuseStream(stream, refusal.code, refusal.fault);
      if (logged) onDenied?.(peer, path, refusal.fault);
      return;
    }
    if (peer.kind === "certificate" && peer.role === "agent" && !admitStream(stream)) return;
    const received = guardBody(stream, {
      path,
      maxBytes: METHOD_LIMITS.get(path)?.maxRequestBytes ?? 0,
      budget,
      share: shareOf(peer),
      onRefused: (fault) => warn(`${peer.address} ${fault.code}`, fault),
    });
    if (!received) return;
    dropAuthority(headers);
    boundTimeout(headers);
    try {
      if (unary?.(stream, headers) === true) return;
      handler(new Http2ServerRequest(stream, headers, {}, []), new Http2ServerResponse(stream));
    } catch (error) {
      quiet.error("a call failed before its service saw it", { error, path, address: peer.address });
      stream.destroy();
    }
  };
}

interface Refusal {
  readonly code: number;
  readonly fault: Fault;
}

function authorizeCall(peer: Peer, path: string): Refusal | undefined {
  if (peer.kind === "insecure") {
    return RPC_ROLES.has(path) ? undefined : { code: GrpcCode.unimplemented, fault: faultUnknownCall(path) };
  }
  const decision = authorize(peer.role, path);
  switch (decision.kind) {
    case "allowed":
      return undefined;
    case "denied":
      return { code: GrpcCode.permissionDenied, fault: decision.fault };
    case "unknown":
      return { code: GrpcCode.unimplemented, fault: decision.fault };
    default:
      return decision satisfies never;
  }
}

/**
 * Connect builds a URL from the host name that the client sends, and an invalid one (`]`) would end the whole program
 * with an exception. Nothing here depends on the name: clients of release 0.8.0 send `server`.
 */
function dropAuthority(headers: IncomingHttpHeaders): void {
  headers[":authority"] = "localhost";
  delete headers.host;
}

/** Milliseconds of a unit of `grpc-timeout`. */
const UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};
/** Longer timers than this end at once in Node.js. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A deadline beyond the range of a timer (24 days) is removed; otherwise such a call would end at once. */
function boundTimeout(headers: IncomingHttpHeaders): void {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"] ?? ""));
  if (match !== null && Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0) > MAX_TIMER_MS) {
    delete headers["grpc-timeout"];
  }
}
