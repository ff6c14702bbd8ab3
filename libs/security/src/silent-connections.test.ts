import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createLogger, type LogRecord } from "@daos/log";
import { delay } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "./connection-limits.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import { grpcCall, TestAuthority, TestCertificateFiles } from "./testing/index.ts";
import { PREFACE } from "./testing/raw-http2.ts";

const authority = new TestAuthority();
const tlsOf = (role: string, localAddress = "127.0.0.1") => {
  const { certPem, keyPem } = authority.issue(role);
  return { ca: authority.pem, cert: certPem, key: keyPem, servername: "server", localAddress };
};
const ADMIN = tlsOf("admin");

let files: TestCertificateFiles;
let running: GrpcServer;
let port = 0;
let records: LogRecord[];
const sockets = new Set<Socket>();
const sessions = new Set<ClientHttp2Session>();

beforeEach(() => {
  files = new TestCertificateFiles();
  records = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const session of sessions) session.destroy();
  sockets.clear();
  sessions.clear();
  await running.close({ graceMs: 0 });
  files[Symbol.dispose]();
});

async function start(limits: Partial<typeof DEFAULT_LIMITS>, allowInsecure = false): Promise<void> {
  const transport = { ...files.transport("server", authority.pem, authority.issue("server")), allowInsecure };
  running = await createGrpcServer({
    transport,
    log: createLogger((record) => records.push(record), { level: "DEBUG" }),
    handler: (request, response) => {
      request.resume();
      response.addTrailers({ "grpc-status": "0" });
      response.end("passed");
    },
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  await new Promise<void>((resolve) =>
    running.server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, resolve),
  );
  port = (running.server.address() as AddressInfo).port;
}

/** A TCP connection that sends `bytes` and nothing more. */
async function silent(localAddress: string, bytes?: Uint8Array): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  sockets.add(socket);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve).once("close", () => resolve()));
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

const kept = () => [...sockets].filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length;

describe("HandshakePlaces: connections without data", () => {
  it.each([
    ["send nothing", undefined],
    ["stop in their handshake", Buffer.from([0x16, 3, 1, 0x10, 0, 1, 0])],
  ])("and %s keep no client out, from their own address or another", async (_, bytes) => {
    await start({
      maxConnections: 100,
      maxConnectionsPerAddress: 20,
      maxHandshakes: 50,
      maxHandshakesPerAddress: 10,
    });
    for (let index = 0; index < 240; index++) await silent(`127.0.0.${1 + (index % 12)}`, bytes);
    for (let calls = 0; calls < 5; calls++) {
      expect(await grpcCall(port, ADMIN)).toEqual({ status: "0", text: "passed" });
      expect(await grpcCall(port, tlsOf("admin", "127.0.0.200"))).toEqual({ status: "0", text: "passed" });
      await silent("127.0.0.1", bytes);
    }
    for (const socket of sockets) socket.resume();
    while (kept() > 50) await delay(10);
    const faults = records.filter(({ level }) => level === "WARN").map(({ fields }) => String(fields.fault));
    expect(faults.filter((text) => /opened more than/.test(text))).toEqual([]);
  });

  it("do not end connections of clients that are known, however many these are", async () => {
    await start({ maxConnectionsPerAddress: 60, maxHandshakes: 4, maxHandshakesPerAddress: 4 });
    for (let index = 0; index < 40; index++) {
      const session = connectHttp2(`https://127.0.0.1:${port}`, ADMIN);
      sessions.add(session);
      await new Promise((resolve) => session.once("remoteSettings", resolve));
    }
    for (let index = 0; index < 40; index++) await silent("127.0.0.1");
    await delay(50);
    expect([...sessions].filter(({ destroyed }) => destroyed)).toEqual([]);
    expect(await grpcCall(port, ADMIN)).toMatchObject({ status: "0" });
  });

  it("in plain text lose their place when they only begin to speak HTTP/2", async () => {
    await start(
      { maxHandshakes: 5, maxHandshakesPerAddress: 5, maxConnectionsPerAddress: 20, handshakeMs: 300 },
      true,
    );
    for (let index = 0; index < 40; index++) await silent("127.0.0.1", PREFACE.subarray(0, 4));
    expect(await grpcCall(port, undefined)).toEqual({ status: "0", text: "passed" });
    for (const socket of sockets) socket.resume();
    while (kept() > 0) await delay(10);
  });

  it("do not delay clients of their address, because they have no handshake", async () => {
    await start({ connectionBurst: 3, connectionsPerSecond: 0.001 });
    for (let index = 0; index < 50; index++) await silent("127.0.0.1");
    for (let calls = 0; calls < 3; calls++)
      expect(await grpcCall(port, ADMIN)).toMatchObject({ status: "0" });
  });
});
