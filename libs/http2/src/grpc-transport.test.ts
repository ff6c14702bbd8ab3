import { getEventListeners, once } from "node:events";
import {
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
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { formatHostAddress } from "@daos/hostlist";
import { ctl, mgmt } from "@daos/proto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { grpcTransport } from "./grpc-transport.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { Http2Session } from "./http2-session.ts";
import { MAX_ANSWER_BYTES } from "./read-answer.ts";
import { DeadPort } from "./testing/dead-port.ts";

interface Way {
  readonly transport: Transport;
  readonly close: () => void;
}

function throughSession(transportOf: (session: Http2Session) => Transport): (authority: string) => Way {
  return (authority) => {
    const session = new Http2Session(authority);
    return { transport: transportOf(session), close: () => session.drop() };
  };
}

/** The reference, and what takes its place. The same is expected of all. */
const WAYS: Readonly<Record<string, (authority: string) => Way>> = {
  "Connect and node:http2": (authority) => {
    const sessionManager = new Http2SessionManager(authority);
    return {
      transport: createGrpcTransport({ baseUrl: authority, sessionManager }),
      close: () => sessionManager.abort(),
    };
  },
  "Connect and Http2Session": throughSession((session) =>
    createGrpcTransport({
      baseUrl: session.authority,
      sessionManager: session as unknown as Http2SessionManager,
    }),
  ),
  "grpcTransport and Http2Session": throughSession(grpcTransport),
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

describe.each(Object.entries(WAYS))("grpcTransport(): a unary call through %s", (_way, open) => {
  let server: Http2Server;
  let way: Way;
  let client: ReturnType<typeof clientOf>;
  let answer: (stream: ServerHttp2Stream) => unknown;
  let received: { readonly headers: IncomingHttpHeaders; readonly body: Promise<Buffer> } | undefined;
  let lastStream: ServerHttp2Stream;

  function clientOf() {
    way = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return createClient(mgmt.MgmtSvc, way.transport);
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
    way.close();
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
      "an HTTP error with a page, as of a proxy",
      (stream) => {
        stream.respond({ ":status": 503, "content-type": "text/html" });
        stream.end("<html>no healthy upstream</html>");
      },
      Code.Unavailable,
      "HTTP 503",
    ],
    [
      "a page in HTML",
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end("<html>log in</html>");
      },
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
    expect(error).toBeInstanceOf(ConnectError);
    const texts = [];
    for (let at = error; at instanceof Error; at = at.cause)
      texts.push(at.message, (at as NodeJS.ErrnoException).code);
    expect(texts.join("\n")).toMatch(/http\/2 stream closed|ECONNRESET|ERR_HTTP2_STREAM_/);
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
    await using dead = await DeadPort.take();
    const refused = open(`http://${formatHostAddress(dead.host)}`);
    const error = await createClient(mgmt.MgmtSvc, refused.transport)
      .leaderQuery({})
      .catch((reason: unknown) => reason);
    refused.close();
    expect(error).toMatchObject({ name: "ConnectError", cause: { code: "ECONNREFUSED" } });
  });
});

/** A server whose streams `does` answers. */
async function answering(does: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => unknown) {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {}).resume();
    void does(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    authority: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

describe("grpcTransport", () => {
  it("makes no call on a connection that opens after it was cancelled", async () => {
    const opens = Promise.withResolvers<Http2Connection>();
    const session = { authority: "http://127.0.0.1:1", connection: () => opens.promise };
    const client = createClient(mgmt.MgmtSvc, grpcTransport(session as unknown as Http2Session));
    const stop = new AbortController();
    const call = client.leaderQuery({}, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    const unary = vi.fn();
    opens.resolve({ unary } as unknown as Http2Connection);
    await opens.promise;
    expect(unary).not.toHaveBeenCalled();
  });

  it("leaves nothing behind when the request cannot be encoded", async () => {
    const session = { authority: "http://127.0.0.1:1", connection: () => expect.unreachable() };
    const client = createClient(mgmt.MgmtSvc, grpcTransport(session as unknown as Http2Session));
    const { signal } = new AbortController();
    await expect(client.prepShutdown({ rank: -1 }, { signal, timeoutMs: 60_000 })).rejects.toThrow("rank");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each<readonly [string, (stream: ServerHttp2Stream) => unknown]>([
    [
      "announces",
      (stream) => {
        const prefix = Buffer.alloc(5);
        prefix.writeUInt32BE(MAX_ANSWER_BYTES + 1, 1);
        stream.respond(HEADERS);
        stream.write(prefix);
      },
    ],
    [
      "compresses",
      (stream) =>
        reply(stream, {
          headers: { "grpc-encoding": "gzip" },
          pieces: [frame(gzipSync(Buffer.alloc(MAX_ANSWER_BYTES + 1)), 1)],
        }),
    ],
  ])("grpcTransport() refuses an answer above its limit that the server %s", async (_name, does) => {
    await using server = await answering(does);
    using session = new Http2Session(server.authority);
    const call = createClient(mgmt.MgmtSvc, grpcTransport(session)).leaderQuery({});
    await expect(call).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });

  it.each([
    [99_999_999, "99999999m"],
    [100_000_000, "100000S"],
    [2 ** 31 - 1, "2147484S"],
  ])("grpcTransport() sends a deadline of %s ms as %s, of at most eight digits", async (timeoutMs, sent) => {
    let received: unknown;
    await using server = await answering((stream, headers) => {
      received = headers["grpc-timeout"];
      return reply(stream, {});
    });
    using session = new Http2Session(server.authority);
    await createClient(mgmt.MgmtSvc, grpcTransport(session)).leaderQuery({}, { timeoutMs });
    expect(received).toBe(sent);
  });

  it.each([
    ["50% of 100%", "50% of 100%"],
    ["rank%203: 50%zz", "rank%203: 50%zz"],
    ["a%ff b", "a%ff b"],
    ["rank%203", "rank 3"],
  ])("grpcTransport() keeps the status of a server that writes the text %s", async (sent, text) => {
    await using server = await answering(refused({ "grpc-status": "9", "grpc-message": sent }));
    using session = new Http2Session(server.authority);
    const call = createClient(mgmt.MgmtSvc, grpcTransport(session)).leaderQuery({});
    await expect(call).rejects.toMatchObject({ code: Code.FailedPrecondition, rawMessage: text });
  });

  it("grpcTransport() leaves streams to Connect", async () => {
    const server = createServer();
    const bytes = toBinary(ctl.StorageFormatRespSchema, create(ctl.StorageFormatRespSchema, {}));
    server.on("stream", (stream) => {
      stream.on("error", () => {}).resume();
      void reply(stream, { pieces: [frame(bytes), frame(bytes)] });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    using session = new Http2Session(authority);
    const transport = grpcTransport(session);
    let count = 0;
    for await (const _ of createClient(ctl.MgmtCtl, transport).storageFormat({})) count++;
    expect(count).toBe(2);
    session.drop();
    server.close();
  });
});
