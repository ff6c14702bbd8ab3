import { type ClientHttp2Session, connect, constants, type SecureClientSessionOptions } from "node:http2";
import type { AddressInfo } from "node:net";
import { createLogger, type LogRecord } from "@daos/log";
import { delay } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "./connection-limits.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import { grpcCall, TestAuthority, TestCertificateFiles } from "./testing/index.ts";

const PATH = "/mgmt.MgmtSvc/LeaderQuery";
const authority = new TestAuthority();
const tlsOf = (role: string, localAddress = "127.0.0.1") => {
  const { certPem, keyPem } = authority.issue(role);
  return { ca: authority.pem, cert: certPem, key: keyPem, servername: "server", localAddress };
};

let files: TestCertificateFiles;
let running: GrpcServer;
let port = 0;
let handled = 0;
let records: LogRecord[];

beforeEach(async () => {
  files = new TestCertificateFiles();
  records = [];
  handled = 0;
  running = await createGrpcServer({
    transport: files.transport("server", authority.pem, authority.issue("server")),
    log: createLogger((record) => records.push(record), { level: "DEBUG" }),
    // Answers after a while, so that a call can be cancelled.
    handler: (request, response) => {
      handled++;
      request.resume();
      setTimeout(() => {
        if (response.stream.destroyed) return;
        response.addTrailers({ "grpc-status": "0" });
        response.end("passed");
      }, 20);
    },
    limits: {
      ...DEFAULT_LIMITS,
      cancelled: { ...DEFAULT_LIMITS.cancelled, agent: { burst: 40, perSecond: 0.2 } },
    },
  });
  await new Promise<void>((resolve) => running.server.listen(0, "127.0.0.1", resolve));
  port = (running.server.address() as AddressInfo).port;
});
afterEach(async () => {
  await running.close({ graceMs: 0 });
  files[Symbol.dispose]();
});

/** Opens calls on a new connection and cancels each at once, until the server ends the connection or `most` are done. */
async function cancelCalls(tls: SecureClientSessionOptions, most: number): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, tls);
  session.on("error", () => {});
  await new Promise<void>((resolve) =>
    session.once("remoteSettings", () => resolve()).once("close", () => resolve()),
  );
  for (let calls = 0; calls < most && !session.destroyed && !session.closed; calls++) {
    const stream = session.request({ ":method": "POST", ":path": PATH, "content-type": "application/grpc" });
    stream.on("error", () => {}).resume();
    const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
    setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
    await closed;
  }
  return session;
}

describe("CancelledCalls", () => {
  it("has one budget for all connections of an address and role, and other clients are not affected", async () => {
    for (let connection = 0; connection < 8; connection++) (await cancelCalls(tlsOf("agent"), 20)).destroy();
    while (!records.some(({ fields }) => /keeps cancelling its calls/.test(String(fields.fault))))
      await delay(10);
    expect(handled).toBeLessThan(100);
    const before = handled;
    expect(await grpcCall(port, tlsOf("agent"))).toMatchObject({
      status: "8",
      text: expect.stringContaining(
        "127.0.0.1 keeps cancelling its calls: more than 40 at once, or 0.2 a second",
      ),
    });
    expect(handled).toBe(before);
    expect(await grpcCall(port, tlsOf("agent", "127.0.0.2"))).toEqual({ status: "0", text: "passed" });
    expect(await grpcCall(port, tlsOf("admin"))).toEqual({ status: "0", text: "passed" });
    // The budget fills up again, one call in 5 s.
    let answer: unknown;
    while (answer === undefined)
      answer = await grpcCall(port, tlsOf("agent")).then(
        ({ status }) => status === "0" || undefined,
        () => undefined,
      );
  });

  it("charges nothing when the client reads its answers", async () => {
    for (let calls = 0; calls < 60; calls++)
      expect(await grpcCall(port, tlsOf("agent"))).toMatchObject({ status: "0" });
  });
});
