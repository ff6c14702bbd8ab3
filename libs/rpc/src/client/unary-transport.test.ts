import { EventEmitter, once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ctl, mgmt } from "@daos/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromConnectError } from "../from-connect-error.ts";
import { type ClientSession, unaryTransport } from "./unary-transport.ts";

/** Both ways to make a call, on the same connection. */
const WAYS: Readonly<Record<string, (session: ClientSession) => Transport>> = {
  Connect: (session) => createGrpcTransport({ baseUrl: session.authority, sessionManager: session }),
  "the stream": unaryTransport,
};

function frame(bytes: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

const message = (currentLeader: string) =>
  toBinary(mgmt.LeaderQueryRespSchema, create(mgmt.LeaderQueryRespSchema, { currentLeader }));
const HELLO = frame(message("hello"));
const HEADERS = { ":status": 200, "content-type": "application/grpc" };

interface Answer {
  readonly headers?: OutgoingHttpHeaders;
  readonly pieces?: readonly Uint8Array[];
  readonly trailers?: OutgoingHttpHeaders;
}

/** Answers as a server of gRPC does, or one that errs. */
async function reply(stream: ServerHttp2Stream, { headers = {}, pieces = [HELLO], trailers }: Answer) {
  stream.once("wantTrailers", () => stream.sendTrailers(trailers ?? { "grpc-status": "0" }));
  stream.respond({ ...HEADERS, ...headers }, { waitForTrailers: true });
  for (const piece of pieces) {
    stream.write(piece);
    // Each piece is a DATA frame of its own.
    if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stream.end();
}

const refused = (headers: OutgoingHttpHeaders) => (stream: ServerHttp2Stream) =>
  stream.respond({ ...HEADERS, ...headers }, { endStream: true });

describe.each(Object.entries(WAYS))("a unary call through %s", (_way, transportOf) => {
  let server: Http2Server;
  let session: ClientHttp2Session;
  let client: ReturnType<typeof clientOf>;
  let answer: (stream: ServerHttp2Stream) => unknown;
  let received: { readonly headers: IncomingHttpHeaders; readonly body: Promise<Buffer> } | undefined;
  let lastStream: ServerHttp2Stream;

  function clientOf() {
    const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    session = connect(authority);
    return createClient(
      mgmt.MgmtSvc,
      transportOf({
        authority,
        request: async (method, path, headers, options) =>
          session.request({ ...headers, ":method": method, ":path": path }, options),
        notifyResponseByteRead: () => {},
      }),
    );
  }

  beforeEach(async () => {
    server = createServer();
    server.on("stream", (stream, headers) => {
      lastStream = stream;
      stream.on("error", () => {});
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      received = { headers, body: once(stream, "end").then(() => Buffer.concat(chunks)) };
      received.body.catch(() => {});
      void answer(stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    client = clientOf();
  });
  afterEach(() => {
    session.destroy();
    server.close();
  });

  it.each<readonly [string, Answer, string]>([
    ["a message", {}, "hello"],
    ["application/grpc+proto", { headers: { "content-type": "application/grpc+proto" } }, "hello"],
    ["identity", { headers: { "grpc-encoding": "identity" } }, "hello"],
    ["a message in single bytes", { pieces: [...HELLO].map((byte) => Buffer.of(byte)) }, "hello"],
    ["an empty message", { pieces: [frame(Buffer.alloc(0))] }, ""],
    ["more than a window", { pieces: [frame(message("a".repeat(300_000)))] }, "a".repeat(300_000)],
    [
      "a compressed message",
      { headers: { "grpc-encoding": "gzip" }, pieces: [frame(gzipSync(message("zipped")), 1)] },
      "zipped",
    ],
  ])("reads %s", async (_name, what, leader) => {
    answer = (stream) => reply(stream, what);
    expect((await client.leaderQuery({})).currentLeader).toBe(leader);
  });

  it.each<readonly [string, (stream: ServerHttp2Stream) => unknown, Code, string]>([
    [
      "a status alone",
      refused({ "grpc-status": "9", "grpc-message": "not%20ready" }),
      Code.FailedPrecondition,
      "not ready",
    ],
    [
      "a status after the headers",
      (stream) => reply(stream, { pieces: [], trailers: { "grpc-status": "7", "grpc-message": "no" } }),
      Code.PermissionDenied,
      "no",
    ],
    [
      "a status after a message",
      (stream) => reply(stream, { trailers: { "grpc-status": "8" } }),
      Code.ResourceExhausted,
      "",
    ],
    [
      "no message",
      (stream) => reply(stream, { pieces: [] }),
      Code.Unimplemented,
      "protocol error: missing output message for unary method",
    ],
    [
      "two messages",
      (stream) => reply(stream, { pieces: [HELLO, HELLO] }),
      Code.Unimplemented,
      "protocol error: received extra output message for unary method",
    ],
    [
      "half a prefix",
      (stream) => reply(stream, { pieces: [HELLO.subarray(0, 3)] }),
      Code.InvalidArgument,
      "protocol error: incomplete envelope",
    ],
    [
      "no status",
      (stream) => reply(stream, { trailers: { "x-other": "1" } }),
      Code.Internal,
      "protocol error: missing status",
    ],
    [
      "an HTTP error",
      (stream) => stream.respond({ ":status": 503 }, { endStream: true }),
      Code.Unavailable,
      "HTTP 503",
    ],
    [
      "a page",
      (stream) => reply(stream, { headers: { "content-type": "text/html" } }),
      Code.Unknown,
      "unsupported content type text/html",
    ],
    [
      "an unknown encoding",
      (stream) => reply(stream, { headers: { "grpc-encoding": "snappy" } }),
      Code.Internal,
      'unsupported response encoding "snappy"',
    ],
    [
      "what is compressed without an encoding",
      (stream) => reply(stream, { pieces: [frame(gzipSync(message("zipped")), 1)] }),
      Code.Internal,
      "received compressed envelope, but do not know how to decompress",
    ],
  ])("throws what %s says", async (_name, does, code, text) => {
    answer = does;
    const error = await client.leaderQuery({}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code, rawMessage: text });
  });

  it.each<readonly [string, (stream: ServerHttp2Stream) => unknown]>([
    ["is cancelled by the server", (stream) => stream.close(constants.NGHTTP2_CANCEL)],
    ["is refused", (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
    ["is too much", (stream) => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)],
    ["fails in the server", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
    ["loses its connection", (stream) => stream.session?.socket.destroy()],
    [
      "loses its connection within the message",
      (stream) => {
        stream.respond(HEADERS);
        stream.write(HELLO.subarray(0, 7), () => stream.session?.socket.destroy());
      },
    ],
  ])("that %s is a lost connection", async (_name, does) => {
    answer = does;
    const error = await client.leaderQuery({}).catch((reason: unknown) => reason);
    const fault = fromConnectError(error, { attempted: "ask", host: "there", sent: true });
    expect(fault).toMatchObject({ name: "Fault", reason: "the connection was closed" });
  });

  it("sends one message with the headers of gRPC, the deadline and those of the caller", async () => {
    answer = (stream) => reply(stream, {});
    await client.leaderQuery({ system: "one" }, { timeoutMs: 50_000, headers: { "X-Other": "2" } });
    const body = await received?.body;
    expect(fromBinary(mgmt.LeaderQueryReqSchema, body?.subarray(5) ?? Buffer.alloc(0)).system).toBe("one");
    expect(received?.headers).toMatchObject({
      ":method": "POST",
      ":path": "/mgmt.MgmtSvc/LeaderQuery",
      "content-type": "application/grpc+proto",
      "grpc-accept-encoding": "gzip,br",
      "grpc-timeout": "50000m",
      te: "trailers",
      "x-other": "2",
    });
  });

  it("is reset when its signal aborts, with the reason", async () => {
    const stop = new AbortController();
    answer = () => stop.abort(new DOMException("enough", "AbortError"));
    const error = await client.leaderQuery({}, stop).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: Code.Canceled, rawMessage: "enough" });
    if (!lastStream.closed) await once(lastStream, "close");
    expect(lastStream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it("is not made when its signal has aborted", async () => {
    answer = () => expect.unreachable();
    const signal = AbortSignal.abort(new DOMException("enough", "AbortError"));
    const error = await client.leaderQuery({}, { signal }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: Code.Canceled, rawMessage: "enough" });
  });

  it("ends at its deadline, and is reset", async () => {
    answer = () => {};
    const error = await client.leaderQuery({}, { timeoutMs: 50 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: Code.DeadlineExceeded, rawMessage: "the operation timed out" });
  });

  it("throws the error of a connection that cannot be opened as its cause", async () => {
    const refusal = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const none = createClient(
      mgmt.MgmtSvc,
      transportOf({
        authority: "http://127.0.0.1:1",
        request: () => Promise.reject(refusal),
        notifyResponseByteRead: () => {},
      }),
    );
    const error = await none.leaderQuery({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "ConnectError", cause: refusal });
  });
});

describe("unaryTransport", () => {
  it("survives that the connection is lost under a stream that opens after its call was cancelled", async () => {
    const opens = Promise.withResolvers<ClientHttp2Stream>();
    const session = { authority: "http://127.0.0.1:1", request: () => opens.promise };
    const client = createClient(mgmt.MgmtSvc, unaryTransport(session as unknown as ClientSession));
    const stop = new AbortController();
    const call = client.leaderQuery({}, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    const closed = Promise.withResolvers<number>();
    const stream = Object.assign(new EventEmitter(), { close: (code: number) => closed.resolve(code) });
    opens.resolve(stream as unknown as ClientHttp2Stream);
    expect(await closed.promise).toBe(constants.NGHTTP2_CANCEL);
    expect(() => stream.emit("error", new Error("ECONNRESET"))).not.toThrow();
  });

  it("unaryTransport() leaves streams to Connect", async () => {
    const server = createServer();
    const bytes = toBinary(ctl.StorageFormatRespSchema, create(ctl.StorageFormatRespSchema, {}));
    server.on("stream", (stream) => {
      stream.on("error", () => {}).resume();
      void reply(stream, { pieces: [frame(bytes), frame(bytes)] });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const session = connect(authority);
    const transport = unaryTransport({
      authority,
      request: async (method, path, headers) =>
        session.request({ ...headers, ":method": method, ":path": path }),
      notifyResponseByteRead: () => {},
    });
    let count = 0;
    for await (const _ of createClient(ctl.MgmtCtl, transport).storageFormat({})) count++;
    expect(count).toBe(2);
    session.destroy();
    server.close();
  });
});
