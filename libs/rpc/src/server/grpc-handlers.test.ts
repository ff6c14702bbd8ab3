import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Fault, FaultCode } from "@daos/fault";
import { ctl, mgmt } from "@daos/proto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { faultInterceptor } from "../fault-interceptor.ts";
import { fromConnectError } from "../from-connect-error.ts";
import { answerOnce } from "./answer-once.ts";
import { grpcHandlers } from "./grpc-handlers.ts";

const PATH = "/mgmt.MgmtSvc/LeaderQuery";
const READ_MAX = 4096;
const refusal = new Fault({
  domain: "system",
  code: FaultCode.notLeader,
  description: "größer\nthan a line",
  resolution: "ask 100 % of them",
});

/** What the handlers saw. */
let contexts: HandlerContext[] = [];
/** Calls as the interceptor saw them, with how each ended. */
let observed: string[] = [];
/** Ends the call that waits. */
let release = () => {};

const observer: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    observed.push(`${request.method.name} OK ${response.header instanceof Headers}`);
    return response;
  } catch (error) {
    observed.push(`${request.method.name} ${Code[ConnectError.from(error).code]}`);
    throw error;
  }
};

/** Answers by the name of the system that is asked for. */
async function leaderQuery({ system }: mgmt.LeaderQueryReq, context: HandlerContext) {
  contexts.push(context);
  const [what = "", amount] = system.split(" ");
  switch (what) {
    case "fault":
      throw refusal;
    case "bug":
      throw new TypeError("undefined is not a function");
    case "large":
      return { currentLeader: "a".repeat(Number(amount)) };
    case "deadline":
      await once(context.signal, "abort");
      throw context.signal.reason;
    case "wait":
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { currentLeader: "late" };
    case "headers":
      context.responseHeader.set("x-header", "one");
      context.responseTrailer.set("x-trailer", "two");
      return { currentLeader: context.requestHeader.get("x-question") ?? "" };
    default:
      return { currentLeader: system, replicas: [system] };
  }
}

const { unary, handler } = grpcHandlers({
  readMaxBytes: READ_MAX,
  interceptors: [observer, faultInterceptor],
  routes: (router) => {
    router.service(mgmt.MgmtSvc, { leaderQuery });
    router.rpc(ctl.MgmtCtl.method.storageScan, () => ({}), { readMaxBytes: 8 });
    router.rpc(ctl.MgmtCtl.method.storageFormat, async function* () {
      yield {};
      yield {};
    });
  },
});

/** Both ways to serve a call, each behind a real listener. */
const WAYS: Readonly<Record<string, typeof unary>> = { Connect: () => false, "the stream": unary };

function frame(bytes: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

const request = (system: string) =>
  toBinary(mgmt.LeaderQueryReqSchema, create(mgmt.LeaderQueryReqSchema, { system }));

interface Answer {
  readonly http: number | undefined;
  readonly type: string | undefined;
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly leader: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly flags: number | undefined;
}

async function readAnswer(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (received) => {
    headers = received;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  const body = Buffer.concat(chunks);
  const bytes = body[0] === 1 ? gunzipSync(body.subarray(5)) : body.subarray(5);
  const ends: IncomingHttpHeaders & IncomingHttpStatusHeader = { ...headers, ...trailers };
  const { ":status": http, "content-type": type, "grpc-status": status, "grpc-message": message } = ends;
  return {
    http,
    type,
    status: status as string | undefined,
    message: typeof message === "string" ? decodeURIComponent(message) : undefined,
    leader: body.length === 0 ? undefined : fromBinary(mgmt.LeaderQueryRespSchema, bytes).currentLeader,
    headers,
    trailers,
    flags: body[0],
  };
}

interface Question {
  readonly headers?: OutgoingHttpHeaders;
  /** What is sent, one after the other; the message if not given. */
  readonly pieces?: readonly Uint8Array[];
}

const HELLO = frame(request("hello"));
const TWO_KIB = frame(request("large 2048"));
const OK = { http: 200, type: "application/grpc+proto", status: "0" };
const NO_MESSAGE = { leader: undefined };

describe.each(Object.entries(WAYS))("grpcHandlers(), through %s,", (_way, take) => {
  let server: Http2Server;
  let session: ClientHttp2Session;
  let baseUrl: string;
  const sessions = new Set<ServerHttp2Session>();

  beforeAll(async () => {
    server = createServer();
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      if (!take(stream, headers))
        handler(new Http2ServerRequest(stream, headers, {}, []), new Http2ServerResponse(stream));
    });
    server.on("session", (one) => sessions.add(one));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    session = connect(baseUrl);
  });
  beforeEach(() => {
    contexts = [];
    observed = [];
  });
  afterAll(() => {
    for (const one of sessions) one.destroy();
    server.close();
  });

  function open(headers: OutgoingHttpHeaders = {}, on = session): ClientHttp2Stream {
    const stream = on.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return stream.on("error", () => {});
  }

  async function ask({ headers, pieces = [HELLO] }: Question): Promise<Answer> {
    const stream = open(headers);
    const answer = readAnswer(stream);
    for (const piece of pieces) {
      stream.write(piece);
      // Each piece is a DATA frame of its own.
      if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    stream.end();
    return answer;
  }

  it.each<readonly [string, Question, Partial<Answer>]>([
    ["a message", {}, { ...OK, leader: "hello" }],
    // Release 0.8.0: grpc-go names itself, its target is "server", its deadlines are in u and n.
    [
      "the headers of grpc-go",
      {
        headers: {
          ":authority": "server",
          "user-agent": "grpc-go/1.23.0",
          "grpc-timeout": "59999924u",
        },
      },
      { ...OK, leader: "hello" },
    ],
    ["application/grpc+proto", { headers: { "content-type": "application/grpc+proto" } }, OK],
    ["identity", { headers: { "grpc-encoding": "identity" } }, { ...OK, leader: "hello", flags: 0 }],
    ["a message in single bytes", { pieces: [...HELLO].map((byte) => Buffer.of(byte)) }, { leader: "hello" }],
    ["a message in two pieces", { pieces: [HELLO.subarray(0, 7), HELLO.subarray(7)] }, { leader: "hello" }],
    ["an empty message", { pieces: [frame(Buffer.alloc(0))] }, { ...OK, leader: "" }],
    [
      "a compressed message",
      { headers: { "grpc-encoding": "gzip" }, pieces: [frame(gzipSync(request("hello")), 1)] },
      { ...OK, leader: "hello", flags: 0 },
    ],
    [
      "a compressed answer, which is large enough",
      { headers: { "grpc-accept-encoding": "gzip,br" }, pieces: [TWO_KIB] },
      {
        ...OK,
        leader: "a".repeat(2048),
        flags: 1,
        headers: expect.objectContaining({ "grpc-encoding": "gzip" }),
      },
    ],
    ["no compression that is not accepted", { pieces: [TWO_KIB] }, { leader: "a".repeat(2048), flags: 0 }],
    [
      "headers and trailers of the handler",
      { headers: { "x-question": "why" }, pieces: [frame(request("headers"))] },
      {
        leader: "why",
        headers: expect.objectContaining({ "x-header": "one" }),
        trailers: expect.objectContaining({ "x-trailer": "two" }),
      },
    ],
    ["a deadline in hours", { headers: { "grpc-timeout": "2H" } }, { ...OK, leader: "hello" }],
  ])("answers %s", async (_name, question, expected) => {
    expect(await ask(question)).toMatchObject(expected);
    expect(observed).toEqual(["LeaderQuery OK true"]);
  });

  it.each<readonly [string, Question, Partial<Answer>, readonly string[]]>([
    [
      "a fault of the handler",
      { pieces: [frame(request("fault"))] },
      { status: "9", message: `${refusal}\nsystem: code = 801 resolution = "ask 100 % of them"` },
      ["LeaderQuery FailedPrecondition"],
    ],
    ["a bug of the handler", { pieces: [frame(request("bug"))] }, { status: "2" }, ["LeaderQuery Unknown"]],
    [
      "a deadline that passes",
      { headers: { "grpc-timeout": "50m" }, pieces: [frame(request("deadline"))] },
      { status: "4", message: "the operation timed out" },
      ["LeaderQuery DeadlineExceeded"],
    ],
    [
      "a deadline that has passed",
      { headers: { "grpc-timeout": "0n" }, pieces: [frame(request("fault"))] },
      { status: "9" },
      ["LeaderQuery FailedPrecondition"],
    ],
    [
      "an invalid deadline",
      { headers: { "grpc-timeout": "soon" } },
      { status: "3", message: "protocol error: invalid grpc timeout value: soon" },
      [],
    ],
    ["no message", { pieces: [] }, { status: "12", message: expect.stringContaining("missing") }, []],
    [
      "two messages",
      { pieces: [HELLO, HELLO] },
      { status: "12", message: expect.stringContaining("extra") },
      [],
    ],
    ["half a prefix", { pieces: [HELLO.subarray(0, 3)] }, { status: "3" }, []],
    ["half a message", { pieces: [HELLO.subarray(0, 9)] }, { status: "3" }, []],
    ["what is no message", { pieces: [frame(Buffer.of(0xff, 0xff, 0xff))] }, { status: "13" }, []],
    [
      "a message that is too large",
      { pieces: [frame(Buffer.alloc(READ_MAX + 1))] },
      {
        status: "8",
        message: `message size ${READ_MAX + 1} is larger than configured readMaxBytes ${READ_MAX}`,
      },
      [],
    ],
    [
      "a prefix that promises too much",
      { pieces: [Buffer.from([0, 0x7f, 0xff, 0xff, 0xff])] },
      { status: "8" },
      [],
    ],
    [
      "a message that is too large for its own method",
      { headers: { ":path": "/ctl.MgmtCtl/StorageScan" }, pieces: [frame(Buffer.alloc(9))] },
      { status: "8" },
      [],
    ],
    [
      "a message that is too large when decompressed",
      { headers: { "grpc-encoding": "gzip" }, pieces: [frame(gzipSync(Buffer.alloc(READ_MAX * 2)), 1)] },
      { status: "8", message: expect.stringContaining("after decompression") },
      [],
    ],
    [
      "what gzip cannot decompress",
      { headers: { "grpc-encoding": "gzip" }, pieces: [frame(Buffer.from("plain"), 1)] },
      { status: "3", message: "decompression failed" },
      [],
    ],
    [
      "a compressed message without its encoding",
      { pieces: [frame(gzipSync(request("a")), 1)] },
      { status: "13" },
      [],
    ],
    [
      "an encoding that is not known",
      { headers: { "grpc-encoding": "snappy" } },
      { status: "12", message: expect.stringContaining('unknown compression "snappy"') },
      [],
    ],
    [
      "a method without a handler",
      { headers: { ":path": "/mgmt.MgmtSvc/Join" } },
      { status: "12" },
      ["Join Unimplemented"],
    ],
  ])("refuses %s", async (_name, question, expected, seen) => {
    expect(await ask(question)).toMatchObject({ http: 200, ...NO_MESSAGE, ...expected });
    expect(observed).toEqual(seen);
  });

  it.each<readonly [string, OutgoingHttpHeaders, number]>([
    ["a content type that is not gRPC's", { "content-type": "application/json" }, 415],
    [
      "the protocol of Connect, also for a method with its own limit",
      { ":path": "/ctl.MgmtCtl/StorageScan", "content-type": "application/proto" },
      415,
    ],
    [
      "gRPC-Web, also for a method with its own limit",
      { ":path": "/ctl.MgmtCtl/StorageScan", "content-type": "application/grpc-web+proto" },
      415,
    ],
    ["a method of HTTP other than POST", { ":method": "PUT" }, 405],
    ["a path without a service", { ":path": "/mgmt.MgmtSvc/NoSuch" }, 404],
  ])("refuses %s with a status of HTTP", async (_name, headers, http) => {
    expect(await ask({ headers })).toMatchObject({ http, ...NO_MESSAGE });
  });

  it("aborts the handler of a closed call, and answers the others of its connection", async () => {
    const stream = open();
    stream.end(frame(request("deadline")));
    await expect.poll(() => contexts.length).toBe(1);
    const [context] = contexts;
    expect(context?.signal.aborted).toBe(false);
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => observed).toEqual(["LeaderQuery Canceled"]);
    expect(ConnectError.from(context?.signal.reason).message).toContain("http/2 stream closed");
    expect(await ask({})).toMatchObject(OK);
  });

  it("answers nothing to a client that has closed its call in the meantime", async () => {
    const stream = open();
    stream.end(frame(request("wait")));
    await expect.poll(() => contexts.length).toBe(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, "close");
    release();
    await expect.poll(() => observed).toEqual(["LeaderQuery OK true"]);
    expect(await ask({})).toMatchObject(OK);
  });

  it("does not call the handler when the client closes the call before its message ends", async () => {
    const stream = open();
    stream.write(HELLO.subarray(0, 4));
    await new Promise((resolve) => setTimeout(resolve, 20));
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, "close");
    expect(await ask({})).toMatchObject(OK);
    expect(contexts).toHaveLength(1);
  });

  it("shows the handler its caller's deadline, and ends its signal with the call", async () => {
    await ask({ headers: { "grpc-timeout": "5S" } });
    const [context] = contexts;
    const left = context?.timeoutMs() ?? 0;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5000);
    expect(context).toMatchObject({ protocolName: "grpc", requestMethod: "POST" });
    expect(context?.url).toContain(PATH);
    expect(context?.service.typeName).toBe("mgmt.MgmtSvc");
    await expect.poll(() => context?.signal.aborted).toBe(true);
  });

  it("sends a large answer as the client's window allows it", async () => {
    const narrow = connect(baseUrl, { settings: { initialWindowSize: 20_000 } });
    const stream = open({}, narrow);
    const answer = readAnswer(stream);
    stream.end(frame(request("large 500000")));
    await once(stream, "data");
    stream.pause();
    await new Promise((resolve) => setTimeout(resolve, 20));
    stream.resume();
    expect(await answer).toMatchObject({ ...OK, leader: "a".repeat(500_000) });
    narrow.destroy();
  });

  it("answers many calls of one connection at once", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask({})));
    expect(new Set(answers.map(({ leader }) => leader))).toEqual(new Set(["hello"]));
  });

  it("is understood by Connect's client: faults, headers, and streams", async () => {
    const transport = createGrpcTransport({ baseUrl });
    const client = createClient(mgmt.MgmtSvc, transport);
    expect((await client.leaderQuery({ system: "large 3000" })).currentLeader).toHaveLength(3000);
    const error = await client.leaderQuery({ system: "fault" }).catch((reason: unknown) => reason);
    const { code, description, resolution } = refusal;
    const context = { attempted: "ask", host: "a:1" };
    expect(fromConnectError(error, context)).toMatchObject({ code, description, resolution });
    expect(await Array.fromAsync(createClient(ctl.MgmtCtl, transport).storageFormat({}))).toHaveLength(2);
  });
});

describe("grpcHandlers", () => {
  it.each<readonly [string, OutgoingHttpHeaders]>([
    ["a server stream", { ":path": "/ctl.MgmtCtl/StorageFormat" }],
    ["an unknown method", { ":path": "/mgmt.MgmtSvc/NoSuch" }],
    ["JSON", { "content-type": "application/grpc+json" }],
    ["an unknown encoding", { "grpc-encoding": "br" }],
    ["a malformed deadline", { "grpc-timeout": "soon" }],
  ])("grpcHandlers() leaves %s to Connect", (_name, headers) => {
    const usual = { ":method": "POST", ":path": PATH, "content-type": "application/grpc" };
    // A stream that is left alone is not touched.
    expect(unary(undefined as never, { ...usual, ...headers } as IncomingHttpHeaders)).toBe(false);
  });

  it("grpcHandlers() gives up a stream whose client takes nothing, and keeps one that has nothing to send", async () => {
    const ended: string[] = [];
    const pause = Promise.withResolvers<void>();
    const streams = grpcHandlers({
      readMaxBytes: READ_MAX,
      stallMs: 50,
      routes: (router) => {
        router.rpc(ctl.MgmtCtl.method.supportCollect, async function* () {
          try {
            for (;;) yield { event: { case: "chunk" as const, value: new Uint8Array(65_536) } };
          } finally {
            ended.push("SupportCollect");
          }
        });
        router.rpc(ctl.MgmtCtl.method.storageFormat, async function* () {
          await pause.promise;
          yield {};
          ended.push("StorageFormat");
        });
      },
    });
    const server = createServer();
    server.on("stream", (stream, headers) =>
      streams.handler(new Http2ServerRequest(stream, headers, {}, []), new Http2ServerResponse(stream)),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const call = (method: string) => {
      const stream = session.request({
        ":method": "POST",
        ":path": `/ctl.MgmtCtl/${method}`,
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.on("error", () => {});
      stream.end(frame(new Uint8Array()));
      return stream;
    };
    const streaming = readAnswer(call("StorageFormat"));
    const stalled = call("SupportCollect").pause();
    await new Promise((resolve) => stalled.once("close", resolve));
    expect(stalled.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await expect.poll(() => ended).toEqual(["SupportCollect"]);
    pause.resolve();
    expect((await streaming).status).toBe("0");
    session.destroy();
    server.close();
  });
});

describe("answerOnce", () => {
  it("answerOnce() has an answer made and encoded once for each compression, until its source is another", async () => {
    let made = 0;
    let source = { name: "a".repeat(5000) };
    const answer = answerOnce(mgmt.LeaderQueryRespSchema, ({ name }: typeof source) => {
      made++;
      return { currentLeader: name };
    });
    const server = createServer();
    const kept = grpcHandlers({
      readMaxBytes: READ_MAX,
      routes: (router) => router.service(mgmt.MgmtSvc, { leaderQuery: () => answer(source) }),
    });
    server.on("stream", (stream, headers) => void kept.unary(stream, headers));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const plain = createClient(mgmt.MgmtSvc, createGrpcTransport({ baseUrl, acceptCompression: [] }));
    const compressed = createClient(mgmt.MgmtSvc, createGrpcTransport({ baseUrl }));
    const ask = async () => [
      (await plain.leaderQuery({})).currentLeader,
      (await compressed.leaderQuery({})).currentLeader,
    ];
    const text = "a".repeat(5000);
    expect(await ask()).toEqual([text, text]);
    // Such an answer is never changed; this one is, to see that it is not encoded again.
    answer(source).currentLeader = "b";
    expect(await ask()).toEqual([text, text]);
    expect(made).toBe(1);
    source = { name: "c" };
    expect(await ask()).toEqual(["c", "c"]);
    server.close();
  });
});
