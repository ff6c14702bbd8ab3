import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { FaultCode } from "@daos/fault";
import { createLogger, type LogRecord } from "@daos/log";
import { ctl } from "@daos/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { explainTlsError } from "./explain-tls-error.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import { peerOf } from "./peer.ts";
import {
  type GrpcAnswer,
  grpcCall,
  inDays,
  TestAuthority,
  type TestCertificate,
  TestCertificateFiles,
} from "./testing/index.ts";
import { clientTlsOptions } from "./tls-options.ts";
import type { TransportConfig } from "./transport-config.ts";

const authority = new TestAuthority();
/** The call that is served from its stream. */
const UNARY = "/mgmt.MgmtSvc/PrepShutdown";
const INSECURE = { allowInsecure: true } as TransportConfig;

let files: TestCertificateFiles;
let records: LogRecord[];
let running: GrpcServer | undefined;

beforeEach(() => {
  files = new TestCertificateFiles();
  records = [];
});
afterEach(async () => {
  files[Symbol.dispose]();
  await running?.close({ graceMs: 0 });
  running = undefined;
});

async function start(
  transport: TransportConfig,
  options: { readonly pollMs?: number } = {},
): Promise<number> {
  // Late lines of a server must not get into the next test.
  const mine = records;
  const log = createLogger((record) => mine.push(record), { level: "DEBUG" });
  running = await createGrpcServer({
    transport,
    log,
    ...options,
    unary: (stream, headers) => {
      if (headers[":path"] !== UNARY) return false;
      stream.respond({ ":status": 200, "grpc-status": "0" });
      stream.end("from its stream");
      return true;
    },
    handler: (request, response) => {
      const peer = peerOf(request);
      response.setHeader("content-type", "application/grpc");
      response.addTrailers({ "grpc-status": "0" });
      response.end(peer?.kind === "certificate" ? peer.role : (peer?.kind ?? "no peer"));
    },
  });
  const { server } = running;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function serverFiles(own: TestCertificate = authority.issue("server")): TransportConfig {
  return files.transport("server", authority.pem, own);
}

async function call(port: number, transport: TransportConfig, path?: string): Promise<GrpcAnswer> {
  return grpcCall(port, await clientTlsOptions(transport), path);
}

describe("createGrpcServer with TLS", () => {
  it.each(["admin", "agent", "server"])("lets the role %s in", async (role) => {
    const port = await start(serverFiles());
    const path = role === "server" ? "/mgmt.MgmtSvc/Join" : "/mgmt.MgmtSvc/LeaderQuery";
    const client = files.transport("client", authority.pem, authority.issue(role));
    expect(await call(port, client, path)).toEqual({ status: "0", text: role });
  });

  it("denies a call that the role may not make, and one that is not in the table", async () => {
    const port = await start(serverFiles());
    const agent = files.transport("client", authority.pem, authority.issue("agent"));
    const denied = await call(port, agent, "/mgmt.MgmtSvc/PoolDestroy");
    expect(denied.status).toBe("7");
    expect(denied.text).toContain(
      "/mgmt.MgmtSvc/PoolDestroy is not allowed with a certificate of the role agent",
    );
    expect(denied.text).toContain("use a certificate of the role admin");
    expect(await call(port, agent, "/mgmt.MgmtSvc/Nothing")).toMatchObject({ status: "12" });
  });

  it("answers a client without certificate, or with one of another CA, with the reason of its refusal", async () => {
    const port = await start(serverFiles());
    const other = new TestAuthority();
    const stranger = other.issue("admin");
    const tls = { ca: authority.pem, cert: stranger.certPem, key: stranger.keyPem, servername: "server" };
    expect(await grpcCall(port, tls)).toMatchObject({
      status: "16",
      text: expect.stringContaining("was not issued by the CA in") as string,
    });
    expect(await grpcCall(port, { ca: authority.pem, servername: "server" })).toMatchObject({
      status: "16",
      text: expect.stringContaining("127.0.0.1 presented no client certificate") as string,
    });
    expect(records.map((record) => record.message)).toContain("connection refused");
    // The log names the file; the stranger does not learn where it is.
    expect(records.map(({ fields }) => fields.fault)).toContainEqual(
      expect.stringContaining(`the CA in ${files.directory}`),
    );
    expect((await grpcCall(port, tls)).text).not.toContain(files.directory);
    const client = files.transport("client", other.pem, stranger);
    const error: unknown = await call(port, client).catch((reason: unknown) => reason);
    expect(explainTlsError(error, { side: "client", peer: "127.0.0.1" }).message).toContain(
      "was not issued by",
    );
  });

  it("refuses with a status that a Connect client turns into the same fault", async () => {
    const port = await start(serverFiles());
    const client = files.transport("client", authority.pem, authority.issue("agent"));
    const nodeOptions = await clientTlsOptions(client);
    const baseUrl = `https://127.0.0.1:${port}`;
    const transport = createGrpcTransport({ baseUrl, ...(nodeOptions === undefined ? {} : { nodeOptions }) });
    const error = ConnectError.from(
      await createClient(ctl.MgmtCtl, transport)
        .systemStop({})
        .catch((reason: unknown) => reason),
    );
    expect(error.code).toBe(Code.PermissionDenied);
    expect(error.findDetails(ctl.FaultDetailSchema)).toMatchObject([
      {
        domain: "security",
        code: FaultCode.notAuthorized,
        resolution: expect.stringContaining("role admin") as string,
      },
    ]);
    expect(error.rawMessage).toContain("security: code = 923 description = ");
  });

  it("answers a client in plain text with the advice to use TLS", async () => {
    const port = await start(serverFiles());
    const answer = await call(port, INSECURE);
    expect(answer.status).toBe("16");
    expect(answer.text).toContain("connected in plain text, but this server wants TLS");
  });

  it("drops a client without ALPN", async () => {
    const port = await start(serverFiles());
    const admin = authority.issue("admin");
    const socket = connectTls({
      port,
      ca: authority.pem,
      cert: admin.certPem,
      key: admin.keyPem,
      servername: "server",
    });
    await new Promise((resolve) => socket.on("close", resolve).on("error", () => {}));
    expect(records.map((record) => record.message)).toContain("connection without HTTP/2 (ALPN) dropped");
  });

  it("drops what is neither TLS nor HTTP/2", async () => {
    const port = await start(serverFiles());
    const socket = connectTcp(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
    await new Promise((resolve) => socket.on("close", resolve).on("error", () => {}));
    expect(socket.bytesRead).toBe(0);
  });

  it("does not resume sessions, so that every connection is verified anew", async () => {
    const port = await start(serverFiles());
    const admin = authority.issue("admin");
    const options = { port, ca: authority.pem, cert: admin.certPem, key: admin.keyPem, servername: "server" };
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = connectTls({ ...options, maxVersion, ALPNProtocols: ["h2"] });
      await new Promise((resolve) => first.once("data", resolve));
      const session = first.getSession();
      first.destroy();
      const second = connectTls({ ...options, maxVersion, ALPNProtocols: ["h2"], session });
      await new Promise((resolve) => second.once("secureConnect", resolve));
      expect(second.isSessionReused()).toBe(false);
      second.destroy();
    }
  });
});

describe("createGrpcServer with handlers of both kinds", () => {
  it.each([
    ["agent", { status: "7", text: expect.stringContaining("PrepShutdown") }],
    ["server", { status: "0", text: "from its stream" }],
  ] as const)("authorizes a call of the role %s before either sees it", async (role, expected) => {
    const port = await start(serverFiles());
    const client = files.transport("client", authority.pem, authority.issue(role));
    expect(await call(port, client, UNARY)).toMatchObject(expected);
    expect(await call(port, client)).toEqual({ status: "0", text: role });
  });
});

describe("createGrpcServer in plain text", () => {
  it("lets everyone do everything, and warns once", async () => {
    const port = await start(INSECURE);
    expect(await call(port, INSECURE, "/ctl.MgmtCtl/SystemStop")).toEqual({ status: "0", text: "insecure" });
    expect(records.filter((record) => record.level === "WARN").map((record) => record.message)).toEqual([
      expect.stringContaining("allow_insecure"),
    ]);
  });

  it("makes a TLS client say that it met plain text", async () => {
    const port = await start(INSECURE);
    const client = files.transport("client", authority.pem, authority.issue("admin"));
    const error: unknown = await call(port, client).catch((reason: unknown) => reason);
    expect(explainTlsError(error, { side: "client", peer: "node1:10001" }).message).toBe(
      "node1:10001 does not speak TLS",
    );
    expect(records.at(-1)?.fields.fault).toContain(
      "connected with TLS, but this server runs with allow_insecure",
    );
  });
});

describe("createGrpcServer(), after a change of certificate files:", () => {
  it("are used for new connections after reload, and the old ones stay when the new are bad", async () => {
    const transport = serverFiles();
    const port = await start(transport);
    const other = new TestAuthority();
    files.transport("server", other.pem, other.issue("server"));
    await running?.reload();
    const newClient = files.transport("client", other.pem, other.issue("admin"));
    expect(await call(port, newClient)).toEqual({ status: "0", text: "admin" });
    files.write("server.crt", "rubbish");
    await expect(running?.reload()).rejects.toThrow("cannot be used");
    expect(await call(port, newClient)).toEqual({ status: "0", text: "admin" });
  });

  it("come into use by themselves, and connections of clients that are still trusted go on", async () => {
    const port = await start(serverFiles(), { pollMs: 10 });
    const admin = authority.issue("admin");
    const tls = { ca: authority.pem, cert: admin.certPem, key: admin.keyPem, servername: "server" };
    const old = connectHttp2(`https://127.0.0.1:${port}`, tls);
    const status = () =>
      new Promise<unknown>((resolve) => {
        const stream = old.request({ ":method": "POST", ":path": "/mgmt.MgmtSvc/LeaderQuery" });
        stream.on("response", (headers) => resolve(headers[":status"]));
        stream.resume();
        stream.end();
      });
    expect(await status()).toBe(200);
    const other = new TestAuthority();
    const next = files.transport("client", other.pem, other.issue("admin"));
    files.transport("server", `${other.pem}${authority.pem}`, other.issue("server"));
    // A poll may see the three files half changed: then it says so, and the next one sees them whole.
    let answer: unknown;
    while (answer === undefined) answer = await call(port, next).catch(() => undefined);
    expect(answer).toEqual({ status: "0", text: "admin" });
    expect(await status()).toBe(200);
    old.destroy();
    expect(records.map(({ message }) => message)).toContain("certificates have changed and are in use");
  });

  it("that cannot be used are reported, and certificates that expire soon are announced", async () => {
    const soon = authority.issue("server", { notAfter: inDays(10.5) });
    const port = await start(serverFiles(soon), { pollMs: 10 });
    const warned = () => records.find(({ message }) => message.includes("expires in 10 days"));
    while (warned() === undefined) await new Promise(setImmediate);
    expect(warned()).toMatchObject({ level: "WARN", fields: { daysLeft: 10 } });
    files.write("server.crt", "rubbish");
    const failed = () => records.filter(({ message }) => message.includes("the old ones stay in use"));
    while (failed().length === 0) await new Promise(setImmediate);
    expect(
      await call(port, files.transport("client", authority.pem, authority.issue("admin"))),
    ).toMatchObject({ status: "0" });
  });
});
