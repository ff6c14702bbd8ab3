import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Logger } from "@daos/log";
import { authorize } from "./authorize.ts";
import { GrpcCode, refuseStream } from "./grpc-refusal.ts";
import { peerOf } from "./peer.ts";

/** A listener for `request` of an HTTP/2 server, such as `connectNodeAdapter` makes. */
export type RequestHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/**
 * Lets only those calls through to `handler` that the role of the peer allows: {@link authorize}. With plain text
 * everything passes. A request whose peer is unknown, as on a server without `guardServer`, never does.
 */
export function guardHandler(handler: RequestHandler, log: Logger): RequestHandler {
  return (request, response) => {
    const peer = peerOf(request);
    if (peer === undefined) {
      request.stream.destroy();
      return;
    }
    if (peer.kind === "insecure") {
      handler(request, response);
      return;
    }
    const decision = authorize(peer.role, request.url);
    if (decision.kind === "allowed") {
      handler(request, response);
      return;
    }
    log.warn("call refused", { path: request.url, role: peer.role, address: peer.address });
    const code = decision.kind === "denied" ? GrpcCode.permissionDenied : GrpcCode.unimplemented;
    refuseStream(request.stream, code, decision.fault);
  };
}
