import { once } from "node:events";
import {
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { formatHostAddress } from "@daos/hostlist";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ErrorCode } from "./error-code.ts";
import { Flag, type Frame, FrameReader, FrameType, frameHead, frameOf, settingsFrame } from "./frames.ts";
import { encodeHeaders } from "./hpack-encode.ts";
import { Http2Session } from "./http2-session.ts";
import type { Http2Stream } from "./http2-stream.ts";
import type { Received } from "./read-answer.ts";
import { RawServer } from "./testing/raw-server.ts";

const using: Disposable[] = [];
afterEach(() => {
  for (const one of using.splice(0)) one[Symbol.dispose]();
});

/** A server of node:http2, and a session to it. */
async function sessionTo(
  onStream: (stream: ServerHttp2Stream) => void,
  options: ServerOptions = {},
): Promise<{ readonly session: Http2Session; readonly peers: ServerHttp2Session[] }> {
  const server: Http2Server = createServer(options);
  const peers: ServerHttp2Session[] = [];
  server.on("session", (peer: ServerHttp2Session) => peers.push(peer));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    onStream(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = new Http2Session(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  using.push(session, { [Symbol.dispose]: () => server.close() });
  return { session, peers };
}

const post = (session: Http2Session): Promise<Http2Stream> => session.request("POST", "/a", {});

/** Sends back what it gets. */
function echo(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200 });
  stream.pipe(stream);
}

describe("Http2Connection", () => {
  it("sends and receives more than all windows, both at once", async () => {
    const { session } = await sessionTo(echo);
    const sent = Buffer.from(Array.from({ length: 5_000_000 }, (_, at) => (at * 31) % 251));
    const streams = await Promise.all(Array.from({ length: 3 }, () => post(session)));
    const answers = streams.map((stream) => buffer(stream));
    for (const stream of streams) stream.end(sent);
    for (const answer of await Promise.all(answers)) expect(answer.equals(sent)).toBe(true);
  });

  it("lets a server send no more than a window while its answer is not read, and the rest later", async () => {
    const { session } = await sessionTo((stream) => {
      let written = 0;
      stream.respond({ ":status": 200 });
      const fill = () => {
        while (written < 8_000_000) {
          written += 100_000;
          if (!stream.write(Buffer.alloc(100_000))) return void stream.once("drain", fill);
        }
        stream.end();
      };
      fill();
    });
    const slow = await post(session);
    slow.end();
    await once(slow, "response");
    // Another stream goes on meanwhile.
    const other = await post(session);
    other.end();
    other.close(ErrorCode.cancel);
    await expect.poll(() => slow.readableLength).toBeGreaterThan(500_000);
    expect(slow.readableLength).toBeLessThan(1_200_000);
    expect((await buffer(slow)).length).toBe(8_000_000);
  });

  it("sends no more requests at once than the server takes, and the others in their order", async () => {
    const begun: string[] = [];
    let open = 0;
    let most = 0;
    const { session } = await sessionTo(
      (stream) => {
        most = Math.max(most, ++open);
        stream.once("close", () => open--);
        stream.on("data", (chunk) => begun.push(String(chunk)));
        setTimeout(() => stream.respond({ ":status": 200 }, { endStream: true }), 5);
      },
      { settings: { maxConcurrentStreams: 2 } },
    );
    await session.connect({ signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 });
    const streams = await Promise.all(Array.from({ length: 9 }, () => post(session)));
    const closed = streams.map((stream) => once(stream.resume(), "close"));
    for (const [at, stream] of streams.entries()) stream.end(Buffer.from(`${at}`));
    await Promise.all(closed);
    expect(most).toBe(2);
    expect(begun).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it("takes padding, a smaller window, interim answers and pings in its stride", async () => {
    const { session, peers } = await sessionTo(
      (stream) => {
        stream.additionalHeaders({ ":status": 103, link: "a" });
        echo(stream);
      },
      { paddingStrategy: constants.PADDING_STRATEGY_MAX, settings: { initialWindowSize: 20_000 } },
    );
    const stream = await post(session);
    const response = once(stream, "response");
    const answer = buffer(stream);
    stream.write(Buffer.alloc(50_000, 1));
    const [headers] = await response;
    expect(headers).toMatchObject({ ":status": 200 });
    peers[0]?.settings({ initialWindowSize: 1_000 });
    const pinged = await new Promise((resolve) => peers[0]?.ping((error) => resolve(error)));
    expect(pinged).toBeNull();
    stream.end(Buffer.alloc(50_000, 2));
    expect((await answer).length).toBe(100_000);
  });

  it("reads an answer to its end when the server does not want the rest of the request", async () => {
    const { session } = await sessionTo((stream) => {
      stream.respond({ ":status": 200 });
      stream.end(Buffer.alloc(300_000, 7));
      stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    });
    const stream = await post(session);
    stream.write(Buffer.alloc(3_000_000));
    expect((await buffer(stream)).length).toBe(300_000);
    if (!stream.closed) await once(stream, "close");
    expect(stream.rstCode).toBe(ErrorCode.noError);
  });

  it("lets requests end after GOAWAY, and opens another connection for the next", async () => {
    const held: ServerHttp2Stream[] = [];
    const { session, peers } = await sessionTo((stream) => held.push(stream));
    const first = await post(session);
    first.end();
    const firstStatus = once(first, "response");
    await expect.poll(() => held.length).toBe(1);
    peers[0]?.goaway();
    await expect
      .poll(async () => {
        const next = await post(session);
        next.end();
        next.close(ErrorCode.cancel);
        return peers.length;
      })
      .toBe(2);
    held[0]?.respond({ ":status": 204 }, { endStream: true });
    expect((await firstStatus)[0]).toMatchObject({ ":status": 204 });
  });

  it("resets a stream that its reader leaves", async () => {
    const codes: (number | undefined)[] = [];
    const { session } = await sessionTo((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("one");
      stream.once("close", () => codes.push(stream.rstCode));
    });
    const stream = await post(session);
    stream.end();
    for await (const _ of stream) break;
    await expect.poll(() => codes).toEqual([ErrorCode.cancel]);
  });
});

/** A session to a server of frames. @param onFrame called for each frame that the client sends */
async function rawSessionTo(
  onFrame: (frame: Frame, socket: Socket) => void,
  settings: Parameters<typeof settingsFrame>[0] = [],
): Promise<Http2Session> {
  const server = await RawServer.start((socket) => {
    const reader = new FrameReader();
    let preface = 24;
    socket.write(settingsFrame(settings));
    socket.on("data", (chunk) => {
      const bytes = chunk.subarray(Math.min(preface, chunk.length));
      preface -= chunk.length - bytes.length;
      for (const frame of reader.read(bytes)) onFrame(frame, socket);
    });
  });
  const session = new Http2Session(`http://${formatHostAddress(server.host)}`);
  using.push(session, { [Symbol.dispose]: () => void server[Symbol.asyncDispose]() });
  return session;
}

/** The two kinds of streams: both begin a request, and end when the server or the connection ends it. */
const STREAMS = {
  Http2Stream: async (session: Http2Session) => {
    const stream = await post(session);
    stream.resume().end();
    if (!stream.closed) await once(stream, "close").catch(() => {});
  },
  UnaryStream: async (session: Http2Session) => {
    const connection = await session.connection();
    const headers = encodeHeaders([
      [":method", "POST"],
      [":path", "/a"],
    ]);
    const over = Promise.withResolvers<unknown>();
    connection.unary(headers, Buffer.alloc(5), over.resolve);
    await over.promise;
  },
};

/** Runs `act` for the first request. @returns the code of the GOAWAY or RST_STREAM that the client sends then */
async function answerOf(
  act: (id: number) => readonly Buffer[],
  begin = STREAMS.Http2Stream,
): Promise<readonly [frame: string, code: number]> {
  const answered = Promise.withResolvers<readonly [string, number]>();
  const session = await rawSessionTo(({ type, streamId, payload }, socket) => {
    if (type === FrameType.headers) for (const frame of act(streamId)) socket.write(frame);
    if (type === FrameType.goaway) answered.resolve(["GOAWAY", payload.readUInt32BE(4)]);
    if (type === FrameType.rstStream) answered.resolve(["RST_STREAM", payload.readUInt32BE(0)]);
  });
  await begin(session);
  return answered.promise;
}

const frame = (type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([frameHead(type, flags, id, payload.length), payload]);
const OK: Buffer = Buffer.of(0x88);
const headersOf = (id: number, block = OK, flags = 4) => frame(FrameType.headers, flags, id, block);
const data = (id: number, bytes: number, flags = 0) => frame(FrameType.data, flags, id, Buffer.alloc(bytes));

/** The headers and 1,000 bytes. */
const wholeAnswer = (id: number): Buffer => Buffer.concat([headersOf(id), data(id, 1_000, Flag.endStream)]);

describe("Http2Connection with a server of frames", () => {
  it("ends a request once when its last chunk is empty", async () => {
    const flags: number[] = [];
    const session = await rawSessionTo(({ type, streamId, flags: of }, socket) => {
      if (type !== FrameType.data) return;
      flags.push(of);
      if (of === Flag.endStream) socket.write(wholeAnswer(streamId));
    });
    const stream = await post(session);
    stream.write(Buffer.alloc(10));
    stream.write(Buffer.alloc(10));
    stream.end(Buffer.alloc(0));
    await buffer(stream);
    // The server has read what came after the first end, if anything did.
    const last = await post(session);
    last.end();
    await buffer(last);
    expect(flags.filter((of) => of === Flag.endStream)).toHaveLength(2);
  });

  it("holds a window for a reader that is slow, also when the server sends empty frames", async () => {
    let granted = 0;
    const pinged = Promise.withResolvers<void>();
    const session = await rawSessionTo(({ type, streamId }, socket) => {
      if (type === FrameType.windowUpdate && streamId !== 0) granted++;
      if (type === FrameType.ping) pinged.resolve();
      if (type !== FrameType.headers) return;
      const window = Array.from({ length: 40 }, () => data(streamId, 16_384));
      socket.write(Buffer.concat([headersOf(streamId), ...window, data(streamId, 0)]));
      socket.write(frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
    });
    const stream = await post(session);
    stream.end();
    await pinged.promise;
    expect(granted).toBe(0);
    expect(stream.read(40 * 16_384)).toHaveLength(40 * 16_384);
    await expect.poll(() => granted).toBe(1);
  });

  it("calls back for a chunk that was not sent when the stream ends", async () => {
    const session = await rawSessionTo(() => {});
    const stream = await post(session);
    const written = new Promise((resolve) => stream.write(Buffer.alloc(100_000), resolve));
    stream.close(ErrorCode.cancel);
    expect(await written).toMatchObject({ code: "ERR_STREAM_DESTROYED" });
  });

  it.each<readonly [string, (stream: Http2Stream) => unknown]>([
    ["is open", (stream) => stream.write(Buffer.alloc(1))],
    ["waits in the socket", (stream) => stream.end(Buffer.alloc(30_000_000))],
  ])("keeps a whole answer when the connection is lost while the request %s", async (_name, send) => {
    const peer = Promise.withResolvers<Socket>();
    const session = await rawSessionTo(({ type, streamId }, socket) => {
      if (type !== FrameType.headers) return;
      socket.pause();
      for (const id of [0, streamId]) socket.write(frameOf(FrameType.windowUpdate, 0, id, 2 ** 30));
      socket.write(wholeAnswer(streamId));
      peer.resolve(socket);
    });
    const stream = await post(session);
    send(stream);
    await expect.poll(() => stream.readableLength).toBe(1_000);
    const finished = once(stream, "finish");
    (await peer.promise).resetAndDestroy();
    await finished;
    expect((await buffer(stream)).length).toBe(1_000);
    expect(stream.rstCode).toBe(ErrorCode.noError);
  });

  it("sends the next request when an answer is whole, read or not", async () => {
    const session = await rawSessionTo(
      ({ type, streamId }, socket) => {
        if (type === FrameType.headers) socket.write(wholeAnswer(streamId));
      },
      [[3, 1]],
    );
    const streams = [await post(session), await post(session)];
    for (const stream of streams) stream.end();
    for (const stream of streams) await expect.poll(() => stream.readableLength).toBe(1_000);
  });

  it("refuses the requests that wait when the server goes away, and does not send them", async () => {
    const sent: number[] = [];
    const left = Promise.withResolvers<void>();
    const session = await rawSessionTo(
      ({ type, streamId }, socket) => {
        if (type !== FrameType.headers) return;
        sent.push(streamId);
        socket.write(frameOf(FrameType.goaway, 0, 0, 0, 0));
        socket.once("close", () => left.resolve());
      },
      [[3, 1]],
    );
    const streams = [await post(session), await post(session), await post(session)];
    const errors: unknown[] = [];
    for (const stream of streams) stream.on("error", ({ code }: NodeJS.ErrnoException) => errors.push(code));
    await left.promise;
    expect(errors).toEqual(Array(3).fill("ERR_HTTP2_STREAM_REFUSED"));
    expect(streams.map(({ rstCode }) => rstCode)).toEqual(Array(3).fill(ErrorCode.refusedStream));
    expect(sent).toEqual([1]);
  });

  it("fails a request that the server ends without an answer, and without an error", async () => {
    const session = await rawSessionTo(({ type, streamId }, socket) => {
      if (type === FrameType.headers) socket.write(frameOf(FrameType.rstStream, 0, streamId, 0));
    });
    const stream = await post(session);
    await expect(once(stream, "close")).rejects.toMatchObject({ code: "ERR_HTTP2_STREAM_ERROR" });
  });
});

/** An answer of gRPC whose headers, message and trailers all have `tag`, as frames that may lie between others. */
function taggedAnswer(id: number, tag: string): readonly Buffer[] {
  const headers = encodeHeaders([
    [":status", "200"],
    ["content-type", "application/grpc"],
    ["x-tag", tag],
  ]);
  const text = Buffer.from(`${tag};`.repeat(100));
  const message = Buffer.concat([Buffer.of(0, 0, 0, text.length >> 8, text.length & 255), text]);
  const cut = Math.floor(message.length / 3);
  const padded = Buffer.concat([Buffer.of(9), message.subarray(cut), Buffer.alloc(9)]);
  return [
    Buffer.concat([
      headersOf(id, headers.subarray(0, 7), 0),
      frame(FrameType.continuation, 0, id, headers.subarray(7, 30)),
      frame(FrameType.continuation, Flag.endHeaders, id, headers.subarray(30)),
    ]),
    frame(FrameType.data, 0, id, message.subarray(0, cut)),
    frame(FrameType.data, Flag.padded, id, padded),
    headersOf(id, encodeHeaders([["x-tag", tag]]), Flag.endHeaders | Flag.endStream),
  ];
}

describe("Http2Connection, on many sockets at once,", () => {
  it("tells the answers of all streams apart, into whatever pieces they are cut", async () => {
    const [SOCKETS, STREAMS_EACH] = [8, 4];
    const opened = new Map<Socket, number[]>();
    const answer = async (socket: Socket, ids: readonly number[]) => {
      socket.setNoDelay();
      const name = opened.size;
      const answers = ids.map((id) => taggedAnswer(id, `socket ${name} stream ${id}`));
      // A frame of each stream in turn.
      const bytes = Buffer.concat([0, 1, 2, 3].flatMap((at) => answers.map((frames) => frames[at] ?? OK)));
      for (let at = 0, size = name; at < bytes.length; at += size) {
        size = ((size * 7) % 331) + 1;
        socket.write(bytes.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const serve = ({ type, streamId }: Frame, socket: Socket) => {
      if (type !== FrameType.headers) return;
      const ids = [...(opened.get(socket) ?? []), streamId];
      opened.set(socket, ids);
      if (ids.length === STREAMS_EACH) void answer(socket, ids);
    };
    const sessions = await Promise.all(Array.from({ length: SOCKETS }, () => rawSessionTo(serve)));
    const tags = await Promise.all(
      sessions.flatMap((session) =>
        Array.from({ length: STREAMS_EACH }, async () => {
          const connection = await session.connection();
          const over = Promise.withResolvers<Received | Error>();
          connection.unary(encodeHeaders([[":path", "/a"]]), Buffer.alloc(5), over.resolve);
          const received = await over.promise;
          if (received instanceof Error) throw received;
          const tag = String(received.headers["x-tag"]);
          expect(Buffer.from(received.body).toString("utf8", 5)).toBe(`${tag};`.repeat(100));
          expect(received.trailers).toEqual({ "x-tag": tag });
          return tag;
        }),
      ),
    );
    expect(new Set(tags).size).toBe(SOCKETS * STREAMS_EACH);
  });
});

describe("Http2Connection, of a server that breaks the protocol,", () => {
  it.each<readonly [string, (id: number) => readonly Buffer[], number]>([
    ["data of a stream that was not opened", (id) => [data(id + 2, 1)], ErrorCode.protocolError],
    ["headers of a stream of the server's", () => [headersOf(2)], ErrorCode.protocolError],
    ["a push", (id) => [frame(FrameType.pushPromise, 4, id, Buffer.of(0, 0, 0, 2))], ErrorCode.protocolError],
    ["another frame within headers", (id) => [headersOf(id, OK, 0), data(id, 1)], ErrorCode.protocolError],
    ["CONTINUATION alone", (id) => [frame(FrameType.continuation, 4, id, OK)], ErrorCode.protocolError],
    ["headers that cannot be read", (id) => [headersOf(id, Buffer.of(0xff))], ErrorCode.compressionError],
    [
      "headers without an end",
      (id) => [
        headersOf(id, OK, 0),
        ...Array.from({ length: 66 }, () => frame(FrameType.continuation, 0, id, Buffer.alloc(1_000, 0x88))),
      ],
      ErrorCode.enhanceYourCalm,
    ],
    [
      "padding beyond the frame",
      (id) => [frame(FrameType.data, 8, id, Buffer.of(9, 0))],
      ErrorCode.protocolError,
    ],
    [
      "PING of the wrong size",
      () => [frame(FrameType.ping, 0, 0, Buffer.alloc(7))],
      ErrorCode.frameSizeError,
    ],
    ["PING of a stream", (id) => [frame(FrameType.ping, 0, id, Buffer.alloc(8))], ErrorCode.protocolError],
    ["SETTINGS of the wrong size", () => [frame(FrameType.settings, 0, 0, OK)], ErrorCode.frameSizeError],
    ["SETTINGS of a stream", (id) => [frame(FrameType.settings, 0, id)], ErrorCode.protocolError],
    ["a window of 2 GiB in SETTINGS", () => [settingsFrame([[4, 2 ** 31]])], ErrorCode.flowControlError],
    ["small frames in SETTINGS", () => [settingsFrame([[5, 100]])], ErrorCode.protocolError],
    [
      "a window that grows by nothing",
      () => [frameOf(FrameType.windowUpdate, 0, 0, 0)],
      ErrorCode.protocolError,
    ],
    [
      "a window that grows beyond 2 GiB",
      (id) => [frameOf(FrameType.windowUpdate, 0, id, 2 ** 31 - 1)],
      ErrorCode.flowControlError,
    ],
    [
      "a window that SETTINGS make larger than 2 GiB",
      (id) => [frameOf(FrameType.windowUpdate, 0, id, 2 ** 31 - 65_536), settingsFrame([[4, 65_536]])],
      ErrorCode.flowControlError,
    ],
    [
      "RST_STREAM of the wrong size",
      (id) => [frame(FrameType.rstStream, 0, id, OK)],
      ErrorCode.frameSizeError,
    ],
    ["a frame of more than 16 KiB", (id) => [frameHead(0, 0, id, 16_385)], ErrorCode.frameSizeError],
  ])("ends the connection with GOAWAY for %s", async (_name, act, code) => {
    expect(await answerOf(act)).toEqual(["GOAWAY", code]);
  });

  describe.each(Object.entries(STREAMS))("of an %s,", (_stream, begin) => {
    it.each<readonly [string, (id: number) => readonly Buffer[], number]>([
      ["data before headers", (id) => [data(id, 1)], ErrorCode.protocolError],
      ["headers without a status", (id) => [headersOf(id, Buffer.of(0x82))], ErrorCode.protocolError],
      ["no headers at all", (id) => [headersOf(id, Buffer.alloc(0))], ErrorCode.protocolError],
      ["a status in the trailers", (id) => [headersOf(id), headersOf(id, OK, 5)], ErrorCode.protocolError],
      ["a second answer", (id) => [headersOf(id), headersOf(id)], ErrorCode.protocolError],
      [
        "a name in upper case",
        (id) => [headersOf(id, Buffer.concat([OK, Buffer.from([0, 1, 0x41, 1, 0x61])]))],
        ErrorCode.protocolError,
      ],
      [
        "a value with a line feed",
        (id) => [headersOf(id, Buffer.concat([OK, Buffer.from([0, 1, 0x61, 1, 0x0a])]))],
        ErrorCode.protocolError,
      ],
    ])("resets the stream for %s", async (_name, act, code) => {
      expect(await answerOf(act, begin)).toEqual(["RST_STREAM", code]);
    });
  });

  it("leaves a server that asks for more answers than it reads", async () => {
    let isLeft = false;
    await using server = await RawServer.start((socket) => {
      socket.write(settingsFrame([]));
      socket.pause();
      socket.once("close", () => {
        isLeft = true;
      });
      const pings = Buffer.concat(
        Array.from({ length: 1_000 }, () => frame(FrameType.ping, 0, 0, Buffer.alloc(8))),
      );
      const flood = () => {
        if (!socket.destroyed) socket.write(pings, () => setImmediate(flood));
      };
      flood();
    });
    const session = new Http2Session(`http://${formatHostAddress(server.host)}`);
    using.push(session);
    await post(session).catch(() => {});
    await expect.poll(() => isLeft, { timeout: 20_000 }).toBe(true);
  });

  it.each(Object.entries(STREAMS))("ends an %s for any bytes, and throws nothing", async (_stream, begin) => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      // Frames with a right size, so that more than the head is looked at.
      fc
        .record({
          type: fc.integer({ min: 0, max: 10 }),
          flags: fc.integer({ min: 0, max: 255 }),
          id: fc.constantFrom(0, 1, 2, 3),
          payload: fc.uint8Array({ maxLength: 40 }),
        })
        .map(({ type, flags, id, payload }) => frame(type, flags, id, Buffer.from(payload))),
    );
    const property = fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 20 }), async (parts) => {
      await using server = await RawServer.start((socket) => {
        socket.on("error", () => {});
        socket.write(settingsFrame([]));
        socket.once("data", () => socket.end(Buffer.concat(parts)));
      });
      using session = new Http2Session(`http://${formatHostAddress(server.host)}`);
      await begin(session).catch(() => {});
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

describe("FrameReader", () => {
  it("read() cuts frames out of pieces of any size", () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 });
    const property = fc.property(payloads, pieces, (bodies, sizes) => {
      const sent = bodies.map((payload, at) => ({ type: at % 10, flags: at, streamId: at * 2 + 1, payload }));
      const bytes = Buffer.concat(
        sent.map(({ type, flags, streamId, payload }) => frame(type, flags, streamId, Buffer.from(payload))),
      );
      const reader = new FrameReader();
      const read = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        for (const one of reader.read(bytes.subarray(at, at + size)))
          read.push({ ...one, payload: Uint8Array.from(one.payload) });
        at += size;
      }
      expect(read).toEqual(sent);
    });
    fc.assert(property);
  });
});
