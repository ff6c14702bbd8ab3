import type { IncomingHttpHeaders } from "node:http2";
import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Compression, compressionNegotiate, encodeEnvelope } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { errorText } from "@daos/fault";

const COMPRESSIONS = [compressionGzip, compressionBrotli];
/** Smaller messages are not compressed, bytes. */
const COMPRESS_MIN_BYTES = 1024;
const PLAIN = 0;
const COMPRESSED = 1;

/** The compression that the client of a call accepts, or uses itself; undefined for none. */
export function compressionFor(headers: IncomingHttpHeaders): Compression | undefined {
  const requested = headers["grpc-encoding"] as string | undefined;
  const accepted = headers["grpc-accept-encoding"] as string | undefined;
  if (requested === undefined && accepted === undefined) return undefined;
  const { response } = compressionNegotiate(COMPRESSIONS, requested ?? null, accepted ?? null, "");
  return response ?? undefined;
}

/** Encoded forms of answers that do not change, by the name of their compression. */
const kept = new WeakMap<Message, Map<string, Promise<Uint8Array>>>();

/**
 * Lets an answer be encoded and compressed once, for all calls that are answered with it. It must never be changed again,
 * and is kept as long as the caller keeps the message.
 */
export function keepEncoded<T extends Message>(message: T): T {
  if (!kept.has(message)) kept.set(message, new Map());
  return message;
}

/** The message with its prefix, compressed if it is large enough. @throws ConnectError Internal when it cannot be encoded */
export function encodeAnswer(
  schema: DescMessage,
  message: Message,
  compression: Compression | undefined,
): Uint8Array | Promise<Uint8Array> {
  const forms = kept.get(message);
  if (forms === undefined) return encode(schema, message, compression);
  const name = compression?.name ?? "";
  const known = forms.get(name);
  if (known !== undefined) return known;
  const encoded = Promise.resolve(encode(schema, message, compression));
  forms.set(name, encoded);
  encoded.catch(() => forms.delete(name));
  return encoded;
}

function encode(
  schema: DescMessage,
  message: Message,
  compression: Compression | undefined,
): Uint8Array | Promise<Uint8Array> {
  const bytes = serialize(schema, message);
  if (compression === undefined || bytes.length < COMPRESS_MIN_BYTES) return encodeEnvelope(PLAIN, bytes);
  return compression.compress(bytes).then((smaller) => encodeEnvelope(COMPRESSED, smaller));
}

function serialize(schema: DescMessage, message: Message): Uint8Array<ArrayBuffer> {
  try {
    return toBinary(schema, message);
  } catch (error) {
    const reason = errorText(error);
    throw new ConnectError(`serialize binary: ${reason}`, Code.Internal);
  }
}
