import type { ServerHttp2Stream } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";

/** Flags and length of a gRPC message. */
const PREFIX = 5;
const COMPRESSED = 1;

export interface ReadMessageOptions {
  /** The largest message, bytes, as it is sent and when it is decompressed. */
  readonly readMaxBytes: number;
  /** `grpc-encoding`. */
  readonly encoding: string | string[] | undefined;
}

/**
 * Reads the one message of a unary call.
 *
 * @throws ConnectError as Connect does: none or more than one message (Unimplemented), a message that is cut off
 *   (InvalidArgument), too large (ResourceExhausted), or compressed without an encoding (Internal); Canceled when the client
 *   closes the call
 */
export async function readMessage(
  stream: ServerHttp2Stream,
  options: ReadMessageOptions,
): Promise<Uint8Array> {
  const { readMaxBytes, encoding } = options;
  const body = await readBody(stream, readMaxBytes);
  if (body.length === 0) throw wrongCount("missing");
  if (body.length < PREFIX) throw cutOff();
  const end = PREFIX + body.readUInt32BE(1);
  if (body.length < end) throw cutOff();
  if (body.length > end) throw wrongCount("received extra");
  const bytes = body.subarray(PREFIX);
  if (((body[0] ?? 0) & COMPRESSED) === 0) return bytes;
  if (encoding !== "gzip") {
    throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
  }
  return compressionGzip.decompress(new Uint8Array(bytes), readMaxBytes);
}

/** Reads all bytes of the request. Refuses it as soon as it exceeds the length in its prefix, or the limit. */
function readBody(stream: ServerHttp2Stream, readMaxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let received = 0;
    let announced: number | undefined;
    const stop = (error: ConnectError) => {
      stream.off("data", onData).resume();
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (announced === undefined && received >= PREFIX) {
        chunks = [join(chunks)];
        announced = join(chunks).readUInt32BE(1);
        if (announced > readMaxBytes) stop(tooLarge(announced, readMaxBytes));
      }
      if (received - PREFIX > (announced ?? 0)) stop(wrongCount("received extra"));
    };
    stream.on("data", onData);
    const onClose = () => reject(new ConnectError("the client closed the call", Code.Canceled));
    stream.once("end", () => {
      stream.off("close", onClose);
      resolve(join(chunks));
    });
    stream.once("close", onClose);
  });
}

function join(chunks: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(0)] = chunks;
  return chunks.length < 2 ? first : Buffer.concat(chunks);
}

function wrongCount(what: "missing" | "received extra"): ConnectError {
  const text = `protocol error: ${what} input message for unary method`;
  return new ConnectError(text, Code.Unimplemented);
}

function cutOff(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}

function tooLarge(size: number, readMaxBytes: number): ConnectError {
  const text = `message size ${size} is larger than configured readMaxBytes ${readMaxBytes}`;
  return new ConnectError(text, Code.ResourceExhausted);
}
