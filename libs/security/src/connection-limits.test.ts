import { connect as connectHttp2, type SecureClientSessionOptions } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { createLogger, type LogRecord } from "@daos/log";
import { ctl } from "@daos/proto";
import { delay } from "@daos/sys";
import { afterEach, describe, expect, it } from "vitest";
import { type ConnectionLimits, DEFAULT_LIMITS, limitsWithin } from "./connection-limits.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import type { RequestHandler } from "./guard-handler.ts";
import { grpcCall, TestAuthority, TestCertificateFiles } from "./testing/index.ts";
import { FLAG, FRAME, frame, grpcHeaders, PREFACE, settingsFrame } from "./testing/raw-http2.ts";
import type { TransportConfig } from "./transport-config.ts";

const INSECURE = { allowInsecure: true } as TransportConfig;
const PATH = "/mgmt.MgmtSvc/LeaderQuery";

let running: GrpcServer | undefined;
let port = 0;
let records: LogRecord[] = [];
const open = new Set<Socket>();

const answerAtOnce: RequestHandler = (_, response) => {
  response.addTrailers({ "grpc-status": "0" });
  response.end("passed");
};

async function start(
  limits: Partial<ConnectionLimits>,
  handler: RequestHandler = answerAtOnce,
  transport: TransportConfig = INSECURE,
): Promise<void> {
  records = [];
  const mine = records;
  const log = createLogger((record) => mine.push(record), { level: "DEBUG" });
  running = await createGrpcServer({ transport, log, handler, limits: { ...DEFAULT_LIMITS, ...limits } });
  const { server } = running;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const socket of open) socket.destroy();
  open.clear();
  await running?.close({ graceMs: 0 });
  running = undefined;
});

/** A TCP connection that sends `bytes`. `reads: false` never takes what the server sends from the kernel. */
function raw(...bytes: Uint8Array[]): Socket {
  const socket = connect(port, "127.0.0.1");
  open.add(socket);
  socket.on("error", () => {});
  for (const one of bytes) socket.write(one);
  return socket;
}

function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  socket.resume();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Frame types in what a server sent, in order. */
async function received(socket: Socket): Promise<{ types: number[]; all: Buffer }> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await closed(socket);
  const all = Buffer.concat(chunks);
  const types: number[] = [];
  for (let at = 0; at + 9 <= all.length; at += 9 + all.readUIntBE(at, 3)) types.push(all.readUInt8(at + 3));
  return { types, all };
}

async function expectGoodClient(): Promise<void> {
  expect(await grpcCall(port, undefined)).toEqual({ status: "0", text: "passed" });
}

/** Where limits are so short that on a busy machine a good client may miss them too: it tries again. */
async function expectGoodClientInTheEnd(tls?: SecureClientSessionOptions): Promise<void> {
  let answer: unknown;
  while (answer === undefined) answer = await grpcCall(port, tls).catch(() => undefined);
  expect(answer).toEqual({ status: "0", text: "passed" });
}

describe("guardServer(), with its limits of connections:", () => {
  it("that send nothing are closed", async () => {
    await start({ handshakeMs: 30 });
    await closed(raw());
    await expectGoodClientInTheEnd();
  });

  it("that never finish their TLS handshake are closed", async () => {
    using files = new TestCertificateFiles();
    const authority = new TestAuthority();
    await start(
      { handshakeMs: 100 },
      answerAtOnce,
      files.transport("server", authority.pem, authority.issue("server")),
    );
    await closed(raw(Buffer.from([0x16])));
    await closed(raw(Buffer.from([0x16, 3, 1, 0x10, 0, 1, 0])));
    const admin = authority.issue("admin");
    const tls = { ca: authority.pem, cert: admin.certPem, key: admin.keyPem, servername: "server" };
    await expectGoodClientInTheEnd(tls);
  });

  it("above the limit of one address are closed at once, and count no more when they end", async () => {
    await start({ maxConnectionsPerAddress: 3 });
    const first = [
      raw(PREFACE, settingsFrame()),
      raw(PREFACE, settingsFrame()),
      raw(PREFACE, settingsFrame()),
    ];
    for (const socket of first) await new Promise((resolve) => socket.once("data", resolve));
    expect((await received(raw(PREFACE))).all).toHaveLength(0);
    expect(records.filter(({ level }) => level === "WARN").map(({ fields }) => fields.fault)).toContain(
      "127.0.0.1 opened more than 3 connections at once",
    );
    const [victim] = first;
    const gone = new Promise((resolve) => victim?.once("close", resolve));
    victim?.destroy();
    await gone;
    // The server sees the end a little later.
    await expectGoodClientInTheEnd();
  });

  it("that come too fast have to wait, and those of another address do not", async () => {
    await start({ connectionBurst: 2, connectionsPerSecond: 50 });
    for (let calls = 0; calls < 6; calls++) await expectGoodClient();
    await running?.close({ graceMs: 0 });
    await start({ connectionBurst: 2, connectionsPerSecond: 0.001 });
    for (let calls = 0; calls < 2; calls++) await expectGoodClient();
    expect((await received(raw(PREFACE, settingsFrame()))).all).toHaveLength(0);
    const other = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    open.add(other);
    other.write(Buffer.concat([PREFACE, settingsFrame()]));
    await new Promise((resolve) => other.once("data", resolve));
    expect(records.map(({ fields }) => fields.fault)).toContain(
      "127.0.0.1 keeps opening more than 0.001 connections a second",
    );
  });

  it("above the limit of all are closed at once", async () => {
    await start({ maxConnections: 2 });
    const first = [raw(PREFACE, settingsFrame()), raw(PREFACE, settingsFrame())];
    for (const socket of first) await new Promise((resolve) => socket.once("data", resolve));
    expect((await received(raw(PREFACE))).all).toHaveLength(0);
  });

  it("that are idle are closed politely", async () => {
    await start({ idleMs: 30 });
    const { types } = await received(raw(PREFACE, settingsFrame()));
    expect(types).toContain(FRAME.goAway);
  });
});

describe("guardServer(), with its limits of a call: a call", () => {
  const call = (flags: number) => frame(FRAME.headers, FLAG.endHeaders | flags, 1, grpcHeaders(PATH));

  it("whose request never ends is reset", async () => {
    await start({ requestMs: 40 }, (request) => request.resume());
    const socket = raw(PREFACE, settingsFrame(), call(0), frame(FRAME.data, 0, 1, Buffer.from([0])));
    await new Promise<void>((resolve) => {
      let all = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => {
        all = Buffer.concat([all, chunk]);
        const types: number[] = [];
        for (let at = 0; at + 9 <= all.length; at += 9 + all.readUIntBE(at, 3))
          types.push(all.readUInt8(at + 3));
        if (types.includes(FRAME.resetStream)) resolve();
      });
    });
  });

  it("whose answer is not read is reset, and others go on", async () => {
    const ended = new Promise<void>((resolve) => {
      void start({ stallMs: 60 }, (request, response) => {
        if (request.headers["x-slow"] === undefined) {
          answerAtOnce(request, response);
          return;
        }
        response.stream.once("close", resolve);
        response.end(Buffer.alloc(1024 * 1024));
      }).then(() => {
        const slow = frame(
          FRAME.headers,
          FLAG.endHeaders | FLAG.endStream,
          1,
          grpcHeaders(PATH, [["x-slow", "1"]]),
        );
        // A window of 0 bytes: SETTINGS_INITIAL_WINDOW_SIZE is 4.
        raw(PREFACE, settingsFrame([4, 0]), slow).resume();
      });
    });
    await ended;
    await expectGoodClient();
  });

  it("that just takes long is left alone, as long as the client answers pings", async () => {
    await start({ idleMs: 20, handshakeMs: 60_000 }, () => {});
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":method": "POST", ":path": PATH, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.end();
    for (let pings = 0; pings < 3; pings++) await new Promise((resolve) => session.once("ping", resolve));
    expect(stream.destroyed).toBe(false);
    session.destroy();
  });

  it.each(["unary", "server streaming"])(
    "of a Connect client, %s, may take longer than any of the limits",
    async (kind) => {
      const work = () => delay(700);
      const handler = connectNodeAdapter({
        routes: (router) =>
          router.service(ctl.MgmtCtl, {
            systemMemberQuery: async () => {
              await work();
              return {};
            },
            async *storageFormat() {
              await work();
              yield {};
              await work();
              yield {};
            },
          }),
      });
      await start({ requestMs: 500, stallMs: 500, idleMs: 20 }, handler);
      const client = createClient(ctl.MgmtCtl, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
      const call = async () =>
        kind === "unary"
          ? [await client.systemMemberQuery({})]
          : Array.fromAsync(client.storageFormat({ reformat: true }));
      // On a busy machine a request may be longer on its way than the limits; the work always takes longer.
      let answers: readonly unknown[] | undefined;
      while (answers === undefined) answers = await call().catch(() => undefined);
      expect(answers).toHaveLength(kind === "unary" ? 1 : 2);
    },
  );

  it("of a client that answers no ping is ended with its connection", async () => {
    await start({ idleMs: 20, handshakeMs: 40 }, () => {});
    await closed(raw(PREFACE, settingsFrame(), call(FLAG.endStream)));
  });

  it("with too many bytes of headers is refused, and the next one on the connection is not", async () => {
    await start({});
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const status = (extra: Record<string, string>) =>
      new Promise<unknown>((resolve) => {
        const headers = { ":method": "POST", ":path": PATH, "content-type": "application/grpc", ...extra };
        const stream = session.request(headers);
        stream.on("response", (got) => resolve(got[":status"]));
        stream.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
        stream.on("close", () => resolve("closed"));
        stream.resume();
        stream.end();
      });
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(await status({ "x-big": "x".repeat(20_000) })).not.toBe(200);
    session.destroy();
    await expectGoodClient();
  });
});

describe("guardServer(), under a flood", () => {
  const floods: readonly [string, () => Uint8Array[]][] = [
    [
      "of calls that are reset at once",
      () =>
        Array.from({ length: 5_000 }, (_, index) => {
          const id = index * 2 + 1;
          const cancel = Buffer.from([0, 0, 0, 8]);
          return Buffer.concat([
            frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, id, grpcHeaders(PATH)),
            frame(FRAME.resetStream, 0, id, cancel),
          ]);
        }),
    ],
    ["of pings", () => Array.from({ length: 20_000 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))],
    ["of settings", () => Array.from({ length: 20_000 }, () => settingsFrame([3, 100]))],
    [
      "of continuations",
      () => [
        frame(FRAME.headers, 0, 1, grpcHeaders(PATH)),
        ...Array.from({ length: 5_000 }, () =>
          frame(FRAME.continuation, 0, 1, Buffer.from([0, 1, 120, 1, 121])),
        ),
      ],
    ],
    [
      "of calls without end",
      () =>
        Array.from({ length: 5_000 }, (_, index) =>
          frame(FRAME.headers, FLAG.endHeaders, index * 2 + 1, grpcHeaders(PATH)),
        ),
    ],
    [
      "of priorities",
      () =>
        Array.from({ length: 20_000 }, (_, index) =>
          frame(FRAME.priority, 0, index * 2 + 1, Buffer.from([0, 0, 0, 0, 1])),
        ),
    ],
    [
      "of empty data",
      () => [
        frame(FRAME.headers, FLAG.endHeaders, 1, grpcHeaders(PATH)),
        ...Array.from({ length: 20_000 }, () => frame(FRAME.data, 0, 1)),
      ],
    ],
    [
      "of window updates",
      () => [
        frame(FRAME.headers, FLAG.endHeaders, 1, grpcHeaders(PATH)),
        ...Array.from({ length: 20_000 }, () => frame(FRAME.windowUpdate, 0, 1, Buffer.from([0, 0, 0, 1]))),
      ],
    ],
    ["of unknown frames", () => Array.from({ length: 20_000 }, () => frame(0x55, 0, 0, Buffer.alloc(16)))],
  ];

  it.each(floods)("%s does not stop other clients", async (_, flood) => {
    let handled = 0;
    await start({}, (request, response) => {
      handled++;
      answerAtOnce(request, response);
    });
    const attacker = raw(PREFACE, settingsFrame(), Buffer.concat(flood()));
    attacker.resume();
    for (let calls = 0; calls < 5; calls++) await expectGoodClient();
    // A connection that the server has not closed by itself is closed when the attacker gives up.
    attacker.end();
    await closed(attacker);
    await expectGoodClient();
    expect(handled).toBeLessThan(2_000);
  });

  it("of calls that are reset at once ends with GOAWAY", async () => {
    await start({ resetBurst: 50, resetsPerSecond: 1 });
    const [, make] = floods[0] as (typeof floods)[0];
    const { types } = await received(raw(PREFACE, settingsFrame(), Buffer.concat(make())));
    expect(types).toContain(FRAME.goAway);
  });

  it("of connections that do nothing does not stop other clients", async () => {
    await start({ maxConnectionsPerAddress: 200 });
    const idle = Array.from({ length: 150 }, () => raw(PREFACE, settingsFrame()));
    await expectGoodClient();
    expect(idle).toHaveLength(150);
  });
});

describe("limitsWithin", () => {
  it.each([
    [undefined, 8192],
    [1_048_576, 8192],
    [8448, 8192],
    [1024, 768],
    [512, 256],
    [511, 255],
    [64, 32],
  ])(
    "limitsWithin() leaves descriptors for the server's own work: of %s, connections take %i",
    (files, connections) => {
      expect(limitsWithin(files).maxConnections).toBe(connections);
      expect(limitsWithin(files).maxConnectionsPerAddress).toBe(Math.min(512, connections));
    },
  );
});
