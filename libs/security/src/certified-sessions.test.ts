import { type ClientHttp2Session, connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { createLogger, type LogRecord } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import { grpcCall, inDays, TestAuthority, TestCertificateFiles } from "./testing/index.ts";

const authority = new TestAuthority();
const tlsOf = (role: string, days: number) => {
  const { certPem, keyPem } = authority.issue(role, { notAfter: inDays(days) });
  return { ca: authority.pem, cert: certPem, key: keyPem, servername: "server" };
};

let files: TestCertificateFiles;
let running: GrpcServer;
let port = 0;
let now: Date;
let records: LogRecord[];
const sessions = new Set<ClientHttp2Session>();

beforeEach(async () => {
  files = new TestCertificateFiles();
  records = [];
  now = new Date();
  running = await createGrpcServer({
    transport: files.transport("server", authority.pem, authority.issue("server")),
    log: createLogger((record) => records.push(record), { level: "DEBUG" }),
    handler: (request, response) => {
      request.resume();
      response.addTrailers({ "grpc-status": "0" });
      response.end("passed");
    },
    now: () => now,
  });
  await new Promise<void>((resolve) => running.server.listen(0, "127.0.0.1", resolve));
  port = (running.server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const session of sessions) session.destroy();
  sessions.clear();
  await running.close({ graceMs: 0 });
  files[Symbol.dispose]();
});

async function open(tls: object): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, tls);
  sessions.add(session);
  session.on("error", () => {});
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  return session;
}

const closed = (session: ClientHttp2Session) =>
  new Promise<void>((resolve) => session.once("close", () => resolve()));
const faults = () => records.map(({ fields }) => String(fields.fault));

describe("CertifiedSessions", () => {
  it("ends a session when the certificate of its client expires, and keeps others", async () => {
    const agent = await open(tlsOf("agent", 2));
    const admin = await open(tlsOf("admin", 20));
    const ended = closed(agent);
    now = inDays(3);
    await ended;
    expect(admin.closed).toBe(false);
    expect(faults()).toContainEqual(expect.stringMatching(/presented by 127.0.0.1 expired on/));
    expect(await grpcCall(port, tlsOf("agent", 2))).toMatchObject({ status: "16" });
  });

  it("ends a session at a reload when its client is no longer trusted, and keeps it otherwise", async () => {
    const session = await open(tlsOf("agent", 20));
    await running.reload();
    expect(session.closed).toBe(false);
    const other = new TestAuthority();
    const ended = closed(session);
    files.transport("server", other.pem, other.issue("server"));
    await running.reload();
    await ended;
    expect(faults()).toContainEqual(expect.stringMatching(/presented by 127.0.0.1 was not issued by/));
  });
});
