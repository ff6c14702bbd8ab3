import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Fault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { authorize, RPC_ROLES } from "./authorize.ts";
import { faultUnknownCall } from "./faults.ts";
import { GrpcCode, refuseStream } from "./grpc-refusal.ts";
import { type Peer, peerOf } from "./peer.ts";

/** A listener for `request` of an HTTP/2 server, such as `connectNodeAdapter` makes. */
export type RequestHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/**
 * Lets only those calls through to `handler` that are in the table of calls and that the role of the peer allows:
 * {@link authorize}. With plain text every call of the table passes. A request whose peer is unknown, as on a server
 * without `guardServer`, never does. What a client may put into a request to make `handler` throw is made harmless.
 */
export function guardHandler(handler: RequestHandler, log: Logger): RequestHandler {
  return (request, response) => {
    const peer = peerOf(request);
    if (peer === undefined) {
      request.stream.destroy();
      return;
    }
    const refusal = judge(peer, request.url);
    if (refusal !== undefined) {
      log.warn("call refused", { reason: refusal.fault.message, address: peer.address });
      refuseStream(request.stream, refusal.code, refusal.fault);
      return;
    }
    dropAuthority(request);
    boundTimeout(request);
    try {
      handler(request, response);
    } catch (error) {
      log.error("a call failed before its service saw it", {
        error,
        path: request.url,
        address: peer.address,
      });
      request.stream.destroy();
    }
  };
}

interface Refusal {
  readonly code: number;
  readonly fault: Fault;
}

function judge(peer: Peer, path: string): Refusal | undefined {
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
 * Connect builds a URL from the host name that the client sends, and one that is no host name (`]`) would end the
 * whole program with an exception. Nothing here depends on the name: clients of release 0.8.0 send `server`.
 */
function dropAuthority(request: Http2ServerRequest): void {
  request.headers[":authority"] = "localhost";
  delete request.headers.host;
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

/** A deadline further away than a timer can reach (24 days) is none; otherwise such a call would end at once. */
function boundTimeout(request: Http2ServerRequest): void {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(request.headers["grpc-timeout"] ?? ""));
  if (match !== null && Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0) > MAX_TIMER_MS) {
    delete request.headers["grpc-timeout"];
  }
}
