import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import {
  Fault,
  type FaultAudience,
  FaultCode,
  faultDaosStatus,
  isNotDone,
  showResolution,
} from "@daos/fault";
import { ctl, mgmt } from "@daos/proto";
import { afterEach, describe, expect, it } from "vitest";
import { faultFromText } from "./fault-from-text.ts";
import { audienceKey, faultInterceptor } from "./fault-interceptor.ts";
import { fromConnectError } from "./from-connect-error.ts";
import { faultNotLeader, leaderHint } from "./leader-hint.ts";
import { toConnectError } from "./to-connect-error.ts";

const formatted = new Fault({
  domain: "storage",
  code: FaultCode.storageAlreadyFormatted,
  description: "format SCM at /mnt/daos",
  reason: "it holds an ext4 file system, größer 4 GiB",
  resolution: 'use "--reformat" if its data is not needed\nor not',
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server | ReturnType<typeof createHttp2Server>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A real h2c server whose StorageScan throws. */
function failing(error: unknown, audience: FaultAudience = "operator"): Promise<number> {
  const handler = connectNodeAdapter({
    interceptors: [faultInterceptor],
    contextValues: () => createContextValues().set(audienceKey, audience),
    routes: (router) =>
      router.service(ctl.MgmtCtl, {
        storageScan: () => {
          throw error;
        },
        async *storageFormat() {
          yield {};
          throw error;
        },
      }),
  });
  return listen(createHttp2Server(handler));
}

async function scan(url: string, timeoutMs = 50_000, signal?: AbortSignal): Promise<Fault> {
  const transport = createGrpcTransport({ baseUrl: url, nodeOptions: { rejectUnauthorized: false } });
  try {
    await createClient(ctl.MgmtCtl, transport).storageScan({}, { timeoutMs, ...(signal && { signal }) });
  } catch (error) {
    return fromConnectError(error, { attempted: "scan storage", host: "node1:10001" });
  }
  throw new Error("the scan succeeded");
}

describe("toConnectError() and fromConnectError(), across a real connection,", () => {
  it.each([
    ["with a reason", formatted],
    ["of the data plane", faultDaosStatus("create pool", -1007)],
    ["without a leader", faultNotLeader("node1:10001", undefined)],
  ])("return a fault %s unchanged on the other side", async (_, fault) => {
    const port = await failing(fault);
    const { domain, code, description, reason, resolution, message } = fault;
    expect(await scan(`http://127.0.0.1:${port}`)).toMatchObject({
      domain,
      code,
      description,
      reason,
      resolution,
      message,
    });
  });

  it("cut texts of megabytes, and remove this host's paths", async () => {
    const { domain, code, resolution } = formatted;
    const reason = "%ä".repeat(1e6);
    const long = new Fault({ domain, code, description: "in /etc/daos/x.yml", reason, resolution });
    for (const error of [long, new ConnectError(`no such message: ${reason}`, Code.InvalidArgument)]) {
      const { message } = await scan(`http://127.0.0.1:${await failing(error, "peer")}`);
      expect(message).toContain("%ä%ä");
      expect(message).not.toContain("/etc");
      expect(message.length).toBeLessThan(2200);
    }
  });

  it("leaderHint() prefers the field to the text", async () => {
    const { domain, code, resolution } = faultNotLeader("node1:10001", "node2:10001");
    const refusal = new Fault({ domain, code, description: "no", resolution, leader: "[fe80::1]:10001" });
    const port = await failing(refusal);
    const received = await scan(`http://127.0.0.1:${port}`);
    expect(received.leader).toBe("[fe80::1]:10001");
    expect(leaderHint(received)).toBe("[fe80::1]:10001");
  });

  it("pass a fault in the middle of a stream", async () => {
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${await failing(formatted)}` });
    const messages: unknown[] = [];
    const read = async () => {
      for await (const message of createClient(ctl.MgmtCtl, transport).storageFormat({}))
        messages.push(message);
    };
    const error = await read().catch((reason: unknown) => reason);
    expect(messages).toHaveLength(1);
    expect(fromConnectError(error, { attempted: "format", host: "a:1" })).toMatchObject({ code: 103 });
  });

  it("write a text for clients that do not read details", () => {
    const error = toConnectError(formatted, "operator");
    expect(error.rawMessage).toContain(
      'storage: code = 103 description = "format SCM at /mnt/daos: it holds',
    );
    expect(error.rawMessage).toContain("resolution = ");
    expect(error.code).toBe(Code.AlreadyExists);
  });

  it("name the leader in the text of the status, which release 0.8.0 prints", () => {
    const error = toConnectError(faultNotLeader("node1:10001", "node2:10001"));
    expect(error.rawMessage.split("\n")).toEqual([
      'system: code = 801 description = "node1:10001 is not the leader of the management service: try node2:10001"',
      'system: code = 801 resolution = "send the request to node2:10001"',
    ]);
  });

  it("turn any error of a handler into a fault", async () => {
    const port = await failing(new TypeError("boom"));
    expect(await scan(`http://127.0.0.1:${port}`)).toMatchObject({ code: 0, description: "boom" });
  });
});

describe("toConnectError()", () => {
  // Clients in Python and C++ count 32 bytes for each header, and refuse an answer whose headers have more than 8 KiB.
  const headerBytes = (error: ConnectError): number => {
    let bytes = 0;
    for (const [name, value] of setTrailerStatus(new Headers(), error))
      bytes += name.length + value.length + 32;
    return bytes;
  };

  it.each([
    ["short", "cannot stop rank 1", true],
    ["of full length", "cannot stop rank 1. ".repeat(60), false],
    ["of full length and other characters", "größer ".repeat(160), false],
    ["of two bytes a character", "é".repeat(1_500), false, 512],
    ["of three bytes a character", "漢".repeat(1_500), false, 256],
    ["of four bytes a character", "😀".repeat(750), false, 512],
  ])(
    "writes a fault whose texts are %s into headers that every client takes",
    (_name, text, isWhole, max = 1_024) => {
      const fault = new Fault({
        domain: "system",
        code: FaultCode.memberConflict,
        description: text,
        reason: text,
        resolution: text,
      });
      const error = toConnectError(fault, "operator");
      expect(headerBytes(error)).toBeLessThan(8 * 1024 - 256);
      const received = fromConnectError(error, { attempted: "stop", host: "a:1" });
      const cut = `${text.slice(0, max - 3)}...`.replace(/[\uD800-\uDBFF]\.{3}$/, "...");
      expect(received.description).toBe(isWhole ? text : cut);
      expect(error.rawMessage.includes("resolution = ")).toBe(isWhole);
      expect(error.rawMessage).toContain("system: code = ");
    },
  );

  it.each([
    [new DOMException("no end", "TimeoutError"), Code.DeadlineExceeded],
    [new DOMException("stop", "AbortError"), Code.Canceled],
    [faultDaosStatus("x", -1001), Code.PermissionDenied],
    [faultDaosStatus("x", -1005), Code.NotFound],
    [faultDaosStatus("x", -2099), Code.Unknown],
    [faultNotLeader("a:1", "b:1"), Code.FailedPrecondition],
    [new ConnectError("as it is", Code.DataLoss), Code.DataLoss],
  ])("%s has code %i", (error, code) => {
    expect(toConnectError(error).code).toBe(code);
  });
});

describe("fromConnectError() explains a connection that", () => {
  const over = async (handle: (socket: Socket) => void) =>
    `http://127.0.0.1:${await listen(createServer(handle))}`;

  it("is refused", async () => {
    const port = await listen(createServer());
    closers.pop()?.();
    const fault = await scan(`http://127.0.0.1:${port}`);
    expect(fault.code).toBe(FaultCode.connectionRefused);
    expect(fault.message).toBe("cannot scan storage on node1:10001: connection refused");
    expect(fault.resolution).toContain("start daos-server");
  });

  it("goes to a name that cannot be resolved", async () => {
    expect((await scan("http://no-such-host.invalid:1")).code).toBe(FaultCode.hostUnknown);
  });

  it("is never answered", async () => {
    const url = await over(() => {});
    expect(await scan(url, 50)).toMatchObject({ code: FaultCode.timedOut });
  });

  it("is cancelled", async () => {
    const abort = new AbortController();
    const url = await over(() => abort.abort());
    expect(await scan(url, 50_000, abort.signal)).toMatchObject({ code: FaultCode.cancelled });
  });

  it("is reset", async () => {
    const url = await over((socket) => socket.resetAndDestroy());
    expect(await scan(url)).toMatchObject({ code: FaultCode.connectionLost });
  });

  it("is closed at once", async () => {
    const url = await over((socket) => socket.end());
    expect(await scan(url)).toMatchObject({ code: FaultCode.connectionLost });
  });

  it("is answered with garbage", async () => {
    const url = await over((socket) => socket.write("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".repeat(20)));
    expect(await scan(url)).toMatchObject({ code: FaultCode.notDaosServer });
  });

  it("meets a server of HTTP/1.1", async () => {
    const port = await listen(createHttpServer((_, response) => response.end("hello")));
    expect(await scan(`http://127.0.0.1:${port}`)).toMatchObject({ code: FaultCode.notDaosServer });
  });

  it("speaks TLS to a server that does not", async () => {
    const port = await failing(formatted);
    const fault = await scan(`https://127.0.0.1:${port}`);
    expect([FaultCode.notDaosServer, FaultCode.connectionLost]).toContain(fault.code);
    expect(fault.resolution).toContain("-i");
  });

  // As servers of release 0.8.0 do, whose TLS library sends 42 for every certificate that it does not accept.
  it.each([
    [42, FaultCode.certificateRefused, "the server refuses the certificate (TLS alert: bad certificate)"],
    [45, FaultCode.certificateRefused, "the server refuses the certificate (TLS alert: certificate expired)"],
    [48, FaultCode.certificateRefused, "the server refuses the certificate (TLS alert: unknown ca)"],
    [
      116,
      FaultCode.certificateRefused,
      "the server refuses the certificate (TLS alert: certificate required)",
    ],
    [40, FaultCode.connectionFailed, "the server ends the TLS handshake (TLS alert: handshake failure)"],
    [70, FaultCode.connectionFailed, "the server ends the TLS handshake (TLS alert: protocol version)"],
    [80, FaultCode.connectionFailed, "the server ends the TLS handshake (TLS alert: internal error)"],
    [120, FaultCode.notDaosServer, "the peer does not speak HTTP/2"],
  ])("is ended by the server with TLS alert %i", async (alert, code, reason) => {
    const url = await over((socket) => {
      socket.once("data", () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, alert])));
    });
    const fault = await scan(url.replace("http:", "https:"));
    expect(fault).toMatchObject({ code, reason });
  });

  it.each([
    [503, FaultCode.gatewayFailed, "a proxy answered with HTTP status 503"],
    [504, FaultCode.gatewayFailed, "a proxy answered with HTTP status 504"],
    [401, FaultCode.notDaosServer, "the answer is HTTP status 401"],
    [200, FaultCode.notDaosServer, "the answer is text/html, not gRPC"],
    [200, FaultCode.notDaosServer, `the answer is ${"a".repeat(77)}..., not gRPC`, "a".repeat(9_000)],
  ])(
    "leads to a proxy that answers with HTTP status %i and a page",
    async (status, code, reason, type = "text/html") => {
      const proxy = createHttp2Server();
      proxy.on("stream", (stream) => {
        stream.on("error", () => {});
        stream.respond({ ":status": status, "content-type": type });
        stream.end("<html>no healthy upstream</html>");
      });
      expect(await scan(`http://127.0.0.1:${await listen(proxy)}`)).toMatchObject({ code, reason });
    },
  );

  it.each([
    ["ETIMEDOUT", "the host cannot be reached"],
    ["EHOSTUNREACH", "the host cannot be reached"],
    ["ECONNREFUSED", "connection refused"],
    ["ERR_HTTP2_SESSION_ERROR", "the connection was closed"],
  ])("has carried a request, and fails with %s: it may have been carried out", (code, reason) => {
    const cause = Object.assign(new Error(`read ${code}`), { code });
    const context = { attempted: "create pool", host: "a:1" };
    const fault = fromConnectError(ConnectError.from(cause), { ...context, sent: true });
    expect(fault).toMatchObject({ code: FaultCode.connectionLost, reason });
    expect(isNotDone(fault)).toBe(false);
    expect(isNotDone(fromConnectError(cause, context))).toBe(true);
  });

  it("has carried a request that the server did not take", () => {
    const cause = Object.assign(new Error("the server did not take the request"), {
      code: "ERR_HTTP2_STREAM_REFUSED",
    });
    const fault = fromConnectError(ConnectError.from(cause), {
      attempted: "create pool",
      host: "a:1",
      sent: true,
    });
    expect(fault).toMatchObject({ code: FaultCode.requestNotTaken });
    expect(isNotDone(fault)).toBe(true);
  });

  it("calls a service that the server does not have", async () => {
    const port = await failing(formatted);
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
    const error = await createClient(mgmt.MgmtSvc, transport)
      .listPools({})
      .catch((reason: unknown) => reason);
    expect(fromConnectError(error, { attempted: "list pools", host: "a:1" })).toMatchObject({
      code: FaultCode.requestUnsupported,
    });
  });
});

describe("faultFromText() and leaderHint(), on answers of release 0.8.0,", () => {
  const fault = (text: string) =>
    fromConnectError(new ConnectError(text, Code.Unknown), { attempted: "join", host: "a:1" });

  it("parse a fault with its code", () => {
    expect(fault('scm: code = 207 description = "bad size"')).toMatchObject({
      domain: "scm",
      code: 207,
      description: "bad size",
    });
  });

  it("parse the resolution in either place", () => {
    const [description, resolution] = [`${formatted}`, showResolution(formatted)];
    for (const read of [
      faultFromText(description, resolution),
      faultFromText(`${description}\n${resolution}`),
    ]) {
      expect(read).toMatchObject({ domain: "storage", code: 103, resolution: formatted.resolution });
      expect(read?.description).toBe(formatted.message);
    }
    expect(faultFromText("storage: code = 103")).toMatchObject({ code: 103 });
    expect(faultFromText("the code = 103")).toBeUndefined();
  });

  it("keep any other text", () => {
    expect(fault("no rank").message).toBe("cannot join on a:1: no rank");
  });

  it.each([
    ["node2:10001 is not an access point, try node1:10001", "node1:10001"],
    ["not the leader, try [::1]:10001", "[::1]:10001"],
    ["pool create failed, try node1:10001", undefined],
    ["not an access point", undefined],
  ])("find %2$s in %1$j", (text, leader) => {
    expect(leaderHint(fault(text))).toBe(leader);
  });

  it("names the leader in the form that leaderHint() reads", () => {
    expect(leaderHint(faultNotLeader("a:1", "b-2.c:10002"))).toBe("b-2.c:10002");
    expect(leaderHint(faultNotLeader("a:1", undefined))).toBeUndefined();
  });
});
