import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Fault } from "@daos/fault";

/** Status codes of gRPC that refusals use. */
export const GrpcCode = { permissionDenied: 7, unimplemented: 12, unauthenticated: 16 } as const;

/** A response of headers only that ends a gRPC call with an error which any gRPC client can show. */
export function refusalHeaders(code: number, fault: Fault): OutgoingHttpHeaders {
  return {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": String(code),
    "grpc-message": encodeGrpcMessage(`${fault.message}; to fix it, ${fault.resolution}`),
  };
}

/** Ends a call before its service sees it. */
export function refuseStream(stream: ServerHttp2Stream, code: number, fault: Fault): void {
  stream.on("error", () => {});
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(refusalHeaders(code, fault), { endStream: true });
  // What the client still sends is not wanted, and is not buffered either.
  stream.resume();
}

/** Percent-encoding of everything that is not printable ASCII. @see https://github.com/grpc/grpc PROTOCOL-HTTP2.md */
export function encodeGrpcMessage(text: string): string {
  return [...Buffer.from(text, "utf8")]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}
