import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type SecureClientSessionOptions,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { createLogger, type LogRecord } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConnectionLimits, DEFAULT_LIMITS } from "./connection-limits.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import type { RequestHandler } from "./guard-handler.ts";
import { RECEIVE_SHARES, REQUEST_COST, ReceiveBudget } from "./receive-budget.ts";
import { grpcCall, TestAuthority, TestCertificateFiles } from "./testing/index.ts";
import { FLAG, FRAME, frame, grpcHeaders, grpcMessage, PREFACE, settingsFrame } from "./testing/raw-http2.ts";

const PATH = "/mgmt.MgmtSvc/GetAttachInfo";
const authority = new TestAuthority();
const tlsOf = (role: string) => {
  const { certPem, keyPem } = authority.issue(role);
  return { ca: authority.pem, cert: certPem, key: keyPem, servername: "server" };
};
const AGENT = tlsOf("agent");
const ADMIN = tlsOf("admin");

let files: TestCertificateFiles;
let running: GrpcServer;
let port = 0;
let budget: ReceiveBudget;
let records: LogRecord[];
const sessions = new Set<ClientHttp2Session>();

/** Reads the whole request, as a Connect adapter does, then answers. */
const readAll: RequestHandler = (request, response) => {
  request.on("data", () => {});
  request.on("error", () => {});
  request.on("end", () => {
    response.addTrailers({ "grpc-status": "0" });
    response.end("passed");
  });
};

beforeEach(() => {
  files = new TestCertificateFiles();
});
afterEach(async () => {
  for (const session of sessions) session.destroy();
  sessions.clear();
  await running.close({ graceMs: 0 });
  files[Symbol.dispose]();
});

async function start(limits: Partial<ConnectionLimits> = {}, shares = RECEIVE_SHARES): Promise<void> {
  budget = new ReceiveBudget(shares);
  records = [];
  const mine = records;
  running = await createGrpcServer({
    transport: files.transport("server", authority.pem, authority.issue("server")),
    log: createLogger((record) => mine.push(record), { level: "DEBUG" }),
    handler: readAll,
    budget,
    limits: { ...DEFAULT_LIMITS, connectionBurst: 1e6, connectionsPerSecond: 1e6, ...limits },
  });
  await new Promise<void>((resolve) => running.server.listen(0, "127.0.0.1", resolve));
  port = (running.server.address() as AddressInfo).port;
}

/** A connection that stays open. */
async function open(tls: object, localAddress = "127.0.0.1"): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, {
    ...tls,
    localAddress,
  } as SecureClientSessionOptions);
  sessions.add(session);
  session.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("close", () => reject(new Error("the connection was closed")));
  });
  return session;
}

/** Begins a call; `sent` is its body so far. */
function begin(session: ClientHttp2Session, sent: Uint8Array, path = PATH): ClientHttp2Stream {
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  stream.on("error", () => {});
  stream.write(sent);
  return stream;
}

/** How a call was ended: by a status, or by the reset of its stream. */
async function ending(
  stream: ClientHttp2Stream,
): Promise<{ status: unknown; text: string; reset: number | undefined }> {
  let status: unknown;
  let text = "";
  stream.on("response", (headers) => {
    status = headers["grpc-status"];
    text = decodeURIComponent(String(headers["grpc-message"] ?? ""));
  });
  stream.resume();
  await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  return { status, text, reset: stream.rstCode };
}

const adminIsAnswered = async () =>
  expect(await grpcCall(port, ADMIN)).toEqual({ status: "0", text: "passed" });

/** Resolves when the condition holds; the test's own deadline ends the wait. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("guardBody", () => {
  it("guardBody() refuses a request at its prefix when that announces more than the method needs", async () => {
    await start();
    const session = await open(AGENT);
    const { status, text } = await ending(begin(session, grpcMessage(new Uint8Array(1), 0, 4 * 1024 * 1024)));
    expect(status).toBe("8");
    expect(text).toContain(
      "a request of /mgmt.MgmtSvc/GetAttachInfo has 4194304 bytes or more: 4096 is the most",
    );
    expect(budget.used("agent")).toBe(0);
    // The connection goes on.
    const next = begin(session, grpcMessage(new Uint8Array(4096)));
    next.end();
    next.resume();
    await new Promise((resolve) => next.once("end", resolve));
    await until(() => budget.used("agent") === 0);
  });

  it("guardBody() refuses a body when it is longer than its prefix says", async () => {
    await start();
    const session = await open(AGENT);
    const body = Buffer.concat([grpcMessage(new Uint8Array(1)), new Uint8Array(8192)]);
    expect(await ending(begin(session, body))).toMatchObject({ status: "8" });
  });

  it("guardBody() takes a prefix that comes byte by byte when the request is within its limit", async () => {
    await start();
    const session = await open(AGENT);
    const stream = begin(session, new Uint8Array(1));
    for (const byte of [0, 0, 0, 2, 7, 7]) {
      await new Promise((resolve) => setImmediate(resolve));
      stream.write(Uint8Array.of(byte));
    }
    stream.end();
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await new Promise((resolve) => stream.once("end", resolve));
    expect(text).toBe("passed");
  });

  it("guardBody() keeps unfinished bodies of agents within their share, and an administrator is answered, when there are many", async () => {
    const share = 64 * (REQUEST_COST + 2048);
    await start({}, { ...RECEIVE_SHARES, agent: share });
    const half = grpcMessage(new Uint8Array(2043), 0, 4096);
    const refused: ReturnType<typeof ending>[] = [];
    for (let index = 0; index < 12; index++) {
      const session = await open(AGENT, `127.0.0.${2 + index}`);
      // 128 were allowed; a client that does not look at the new setting opens them nevertheless.
      for (let call = 0; call < 128; call++) refused.push(ending(begin(session, half)));
    }
    await until(() => budget.refusals > 0);
    await adminIsAnswered();
    expect(budget.most("agent")).toBeLessThanOrEqual(share);
    const byBudget = refused.map(async (one) => {
      const end = await one;
      if (end.status !== "8") throw new Error("not by the budget");
      return end.text;
    });
    expect(await Promise.any(byBudget)).toContain("unfinished requests with certificates of the role agent");
    for (const session of sessions) session.destroy();
    await until(() => budget.used("agent") === 0);
    expect(await grpcCall(port, AGENT)).toEqual({ status: "0", text: "passed" });
  }, 60_000);
});

describe("guardHandler", () => {
  it("guardHandler() refuses the streams of an agent when it opens more than its limit at once", async () => {
    await start({ maxAgentStreams: 4 });
    const socket = connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], ...AGENT });
    const calls = [1, 3, 5, 7, 9, 11].map((id) =>
      frame(FRAME.headers, FLAG.endHeaders, id, grpcHeaders(PATH)),
    );
    socket.write(Buffer.concat([PREFACE, settingsFrame(), ...calls]));
    let all = Buffer.alloc(0);
    const resets: [number, number][] = [];
    for await (const chunk of socket) {
      all = Buffer.concat([all, chunk as Buffer]);
      for (
        ;
        all.length >= 9 && all.length >= 9 + all.readUIntBE(0, 3);
        all = all.subarray(9 + all.readUIntBE(0, 3))
      )
        if (all[3] === FRAME.resetStream) resets.push([all.readUInt32BE(5), all.readUInt32BE(9)]);
      if (resets.length === 2) break;
    }
    expect(resets).toEqual([
      [9, constants.NGHTTP2_REFUSED_STREAM],
      [11, constants.NGHTTP2_REFUSED_STREAM],
    ]);
    expect(budget.used("agent")).toBe(4 * REQUEST_COST);
    socket.destroy();
    await until(() => budget.used("agent") === 0);
  });
});

describe("guardServer", () => {
  it("guardServer() gives an agent the reason when its address has too many connections, and lets it in when one has ended", async () => {
    await start({ maxAgentConnectionsPerAddress: 2 });
    const [first] = [await open(AGENT), await open(AGENT)];
    const refused = await grpcCall(port, AGENT, PATH);
    expect(refused.status).toBe("8");
    expect(refused.text).toContain("opened more than 2 connections at once");
    await adminIsAnswered();
    first?.destroy();
    let answer = await grpcCall(port, AGENT, PATH);
    while (answer.status !== "0") answer = await grpcCall(port, AGENT, PATH);
    expect(answer.text).toBe("passed");
  });
});
