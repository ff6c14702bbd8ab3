import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { type Fault, faultForPeer, showResolution } from "@daos/fault";
import { ctl } from "@daos/proto";

/** Status codes of gRPC that refusals use. */
export const GrpcCode = {
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/**
 * A response of headers only that ends a gRPC call with a fault: as text, which clients of every release show, and as
 * the typed detail that ours turn into the same fault again.
 */
function refusalHeaders(code: number, fault: Fault): OutgoingHttpHeaders {
  const message = `${fault}\n${showResolution(fault)}`;
  return {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": String(code),
    "grpc-message": encodeGrpcMessage(message),
    "grpc-status-details-bin": Buffer.from(encodeStatus(code, message, fault)).toString("base64"),
  };
}

/** Ends a call before its service sees it. A client that is refused gets no paths of this host. */
export function refuseStream(stream: ServerHttp2Stream, code: number, fault: Fault): void {
  stream.on("error", () => {});
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(refusalHeaders(code, faultForPeer(fault, "peer")), { endStream: true });
  // Further data of the client is neither read nor buffered.
  stream.resume();
}

/** Percent-encoding of everything that is not printable ASCII. @see https://github.com/grpc/grpc PROTOCOL-HTTP2.md */
function encodeGrpcMessage(text: string): string {
  return [...Buffer.from(text, "utf8")]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** `google.rpc.Status` { code = 1, message = 2, details = 3: Any { type_url = 1, value = 2 } } with the fault in it. */
function encodeStatus(status: number, message: string, fault: Fault): Uint8Array {
  const { domain, code, description, reason = "", resolution } = fault;
  const detail = create(ctl.FaultDetailSchema, { domain, code, description, reason, resolution });
  const writer = new BinaryWriter();
  writer.tag(1, 0).int32(status).tag(2, 2).string(message).tag(3, 2).fork();
  writer.tag(1, 2).string(`type.googleapis.com/${ctl.FaultDetailSchema.typeName}`);
  writer.tag(2, 2).bytes(toBinary(ctl.FaultDetailSchema, detail));
  return writer.join().finish();
}
