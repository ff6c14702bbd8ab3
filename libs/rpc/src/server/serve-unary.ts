import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { create, type DescMethodUnary, fromBinary, type Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type Interceptor,
  type MethodImpl,
  type StreamRequest,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { errorText } from "@daos/fault";
import { compressionFor, encodeAnswer } from "./encode-answer.ts";
import { readMessage } from "./read-message.ts";
import { UnaryCall } from "./unary-call.ts";

/** A unary method with its interceptors and limits. */
export interface UnaryMethod {
  readonly method: DescMethodUnary;
  readonly run: (request: UnaryRequest | StreamRequest) => Promise<Pick<UnaryResponse, "message">>;
  /** The largest request, bytes, as it is sent and when it is decompressed. */
  readonly readMaxBytes: number;
}

export interface UnaryMethodOptions {
  readonly interceptors: readonly Interceptor[];
  readonly readMaxBytes: number;
}

/** Puts the interceptors around an implementation, once for all calls. */
export function unaryMethod(
  method: DescMethodUnary,
  implementation: MethodImpl<DescMethodUnary>,
  { interceptors, readMaxBytes }: UnaryMethodOptions,
): UnaryMethod {
  type Run = ReturnType<Interceptor>;
  const innermost: Run = async (request) => {
    if (!(request instanceof UnaryCall)) throw new Error("an interceptor has replaced the request");
    return request.answer(create(method.output, await implementation(request.message, request)));
  };
  const run = interceptors.reduceRight<Run>((next, interceptor) => interceptor(next), innermost);
  return { method, readMaxBytes, run: run as UnaryMethod["run"] };
}

/** A call: its stream, its headers, and the facts about its caller. */
export interface UnaryStream {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly values?: ContextValues | undefined;
}

/**
 * Serves one call of a unary method: reads the message, runs the method, and writes headers, message and status. An error
 * is answered with headers only. Nothing is written when the client has closed the call. Never rejects.
 */
export async function serveUnary(
  { method, run, readMaxBytes }: UnaryMethod,
  { stream, headers, values }: UnaryStream,
): Promise<void> {
  const call = new UnaryCall(method, headers, values);
  // An unused error for each call would be a fifth of the cost of the call.
  stream.once("close", () => {
    if (!call.hasEnded) call.end(closed(stream));
  });
  try {
    call.message = parse(
      method,
      await readMessage(stream, { readMaxBytes, encoding: headers["grpc-encoding"] }),
    );
    const { message } = await run(call);
    const compression = compressionFor(headers);
    const encoded = await encodeAnswer(method.output, message, compression);
    sendAnswer(stream, encoded, { call, ...(compression && { encoding: compression.name }) });
  } catch (error) {
    sendError(stream, call, error);
  }
  call.end();
}

function parse({ input }: DescMethodUnary, bytes: Uint8Array): Message {
  try {
    return fromBinary(input, bytes);
  } catch (error) {
    const reason = errorText(error);
    throw new ConnectError(`parse binary: ${reason}`, Code.Internal);
  }
}

const HEADERS = { ":status": 200, "content-type": "application/grpc+proto" } as const;

function sendAnswer(
  stream: ServerHttp2Stream,
  bytes: Uint8Array,
  { call, encoding }: { readonly call: UnaryCall; readonly encoding?: string },
): void {
  if (stream.destroyed || stream.closed) return;
  const headers = { ...HEADERS, ...(encoding && { "grpc-encoding": encoding }), ...call.responseHeaders };
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", ...call.responseTrailers }));
  stream.respond(headers, { waitForTrailers: true });
  stream.end(bytes);
}

function sendError(stream: ServerHttp2Stream, call: UnaryCall, error: unknown): void {
  if (stream.destroyed || stream.closed) return;
  const known =
    error instanceof ConnectError
      ? error
      : new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  const status: OutgoingHttpHeaders = {};
  for (const [name, value] of setTrailerStatus(new Headers(), known)) status[name] = value;
  stream.respond(
    { ...HEADERS, ...call.responseHeaders, ...call.responseTrailers, ...status },
    { endStream: true },
  );
  // The answer is complete: the client need not send the rest. (RFC 9113, 8.1)
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** Why a call ended before it was answered. */
function closed({ rstCode }: ServerHttp2Stream): ConnectError {
  return new ConnectError(`http/2 stream closed with error code ${rstCode}`, Code.Canceled);
}
