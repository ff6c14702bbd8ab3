import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { errorText } from "@daos/fault";
import type { IncomingHeaders } from "./incoming-headers.ts";

const COMPRESSIONS: readonly Compression[] = [compressionGzip, compressionBrotli];

/** The value of `grpc-accept-encoding`. */
export const ACCEPTED: string = COMPRESSIONS.map(({ name }) => name).join(",");

/** Flags and length of a gRPC message. */
export const PREFIX_BYTES = 5;
const COMPRESSED = 1;
/** The largest message that is received, bytes, also when it is compressed. The list of 100,000 members has 12 MB. */
export const MAX_ANSWER_BYTES: number = 64 * 1024 * 1024;

/** The answer that was received on a stream. */
export interface Received {
  readonly headers: IncomingHeaders;
  readonly trailers: IncomingHeaders;
  readonly body: Uint8Array;
}

export interface UnaryAnswer<O extends DescMessage> {
  readonly header: Headers;
  readonly trailer: Headers;
  readonly message: MessageShape<O>;
}

/** False for an answer that {@link readAnswer} refuses by its headers, whatever follows them. */
export function isGrpc(headers: IncomingHeaders): boolean {
  return headers[":status"] === 200 && /^application\/grpc(?:\+|$)/i.test(String(headers["content-type"]));
}

/**
 * Returns the message of a unary answer.
 *
 * @throws ConnectError the status of the answer; for an answer that violates the protocol, as Connect does
 */
export async function readAnswer<I extends DescMessage, O extends DescMessage>(
  { output }: DescMethodUnary<I, O>,
  { headers, trailers, body }: Received,
): Promise<UnaryAnswer<O>> {
  const header = toHeaders(headers);
  const trailer = toHeaders(trailers);
  const { compression, headerError } = validateResponseWithCompression(
    [...COMPRESSIONS],
    Number(headers[":status"]),
    header,
  );
  validateTrailer(trailer, header);
  if (headerError !== undefined && body.length === 0) throw headerError;
  const bytes = await messageBytes(body, compression, trailer.has("grpc-status"));
  if (headerError !== undefined) {
    const text = "protocol error: received output message for unary method with error status";
    throw new ConnectError(text, Code.Unknown);
  }
  return { header, trailer, message: parse(output, bytes) };
}

async function messageBytes(
  body: Uint8Array,
  compression: Compression | undefined,
  hasTrailers: boolean,
): Promise<Uint8Array> {
  if (body.length === 0) {
    const text = "protocol error: missing output message for unary method";
    throw new ConnectError(text, hasTrailers ? Code.Unimplemented : Code.Unknown);
  }
  const length =
    body.length < PREFIX_BYTES ? undefined : new DataView(body.buffer, body.byteOffset).getUint32(1);
  if (length === undefined || body.length < PREFIX_BYTES + length)
    throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
  const bytes = body.subarray(PREFIX_BYTES);
  if (((body[0] ?? 0) & COMPRESSED) === 0) return bytes;
  if (compression === undefined) {
    throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
  }
  return compression.decompress(new Uint8Array(bytes), MAX_ANSWER_BYTES);
}

function parse<O extends DescMessage>(output: O, bytes: Uint8Array): MessageShape<O> {
  try {
    return fromBinary(output, bytes);
  } catch (error) {
    const reason = errorText(error);
    throw new ConnectError(`parse binary: ${reason}`, Code.Internal);
  }
}

function toHeaders(headers: IncomingHeaders): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    all.append(name, name === "grpc-message" ? decodable(String(value)) : String(value));
  }
  return all;
}

/**
 * A text that {@link decodeURIComponent} accepts. Connect loses the status of an error whose text has a percent sign that
 * begins no code, although gRPC wants such a text shown as it is.
 */
function decodable(text: string): string {
  try {
    decodeURIComponent(text);
    return text;
  } catch {
    return encodeURIComponent(text);
  }
}
