import { once } from "node:events";
import { connect, createServer, type Http2Server, type IncomingHttpHeaders } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ErrorCode, ProtocolError } from "./error-code.ts";
import { FrameReader, FrameType, settingsFrame } from "./frames.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeHeaders } from "./hpack-encode.ts";
import type { Header } from "./hpack-table.ts";
import { Http2Session } from "./http2-session.ts";
import { decodeHuffman } from "./huffman.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Names of the static table and others, short and long values: what an encoder puts into its table, and what it compresses. */
const name = fc.oneof(
  fc.constantFrom("content-type", "grpc-status", "grpc-message", "user-agent", "accept-encoding"),
  fc.stringMatching(/^x-[a-z0-9-]{0,20}$/),
);
const value = fc.oneof(
  fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/),
  fc.constantFrom("0", "13", "a".repeat(5_000)),
  fc.string({ unit: fc.constantFrom("\u00e9", "\u00ff", "\u0080", "~", "5"), minLength: 1, maxLength: 40 }),
);
const headerList = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 12 });

describe("HpackDecoder", () => {
  /** What nghttp2, the encoder of node:http2, makes of some requests on one connection. */
  async function blocksOfNodeHttp2(requests: readonly (readonly Header[])[]): Promise<Buffer[]> {
    const blocks: Buffer[] = [];
    const listener = createTcpServer((socket) => {
      const reader = new FrameReader();
      let preface = 24;
      socket.write(settingsFrame([]));
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        const bytes = chunk.subarray(Math.min(preface, chunk.length));
        preface -= chunk.length - bytes.length;
        for (const { type, payload } of reader.read(bytes)) {
          if (type === FrameType.headers) blocks.push(Buffer.from(payload));
          if (type === FrameType.continuation)
            blocks.push(Buffer.concat([blocks.pop() ?? Buffer.alloc(0), payload]));
        }
      });
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const session = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    for (const headers of requests) session.request(Object.fromEntries(headers)).on("error", () => {});
    await expect.poll(() => blocks.length).toBe(requests.length);
    session.destroy();
    listener.close();
    return blocks;
  }

  it("decode() reads what node:http2 has encoded, also by its table of headers", async () => {
    const property = fc.asyncProperty(
      fc.array(headerList, { minLength: 1, maxLength: 6 }),
      async (requests) => {
        const decoder = new HpackDecoder();
        for (const [at, block] of (await blocksOfNodeHttp2(requests)).entries()) {
          const decoded = decoder.decode(block).filter(([key]) => !key.startsWith(":"));
          expect(decoded.toSorted()).toEqual((requests[at] ?? []).toSorted());
        }
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  // The examples of RFC 7541, appendix C.
  it.each<readonly [string, string, readonly Header[]]>([
    [
      "a literal with indexing (C.2.1)",
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      [["custom-key", "custom-header"]],
    ],
    ["a literal without indexing (C.2.2)", "040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]],
    [
      "a literal never indexed (C.2.3)",
      "1008 7061 7373 776f 7264 0673 6563 7265 74",
      [["password", "secret"]],
    ],
    ["an index of the static table (C.2.4)", "82", [[":method", "GET"]]],
    [
      "Huffman codes (C.4.1)",
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/"],
        [":authority", "www.example.com"],
      ],
    ],
  ])("decode() reads %s", (_name, block, headers) => {
    expect(new HpackDecoder().decode(hex(block))).toEqual(headers);
  });

  it("decode() evicts the oldest headers of its table when it is full, or made smaller", () => {
    const decoder = new HpackDecoder();
    const large = (key: string) =>
      Buffer.concat([hex("4001"), Buffer.from(key), hex("7fd10f"), Buffer.alloc(2_128, 46)]);
    decoder.decode(Buffer.concat([large("a"), large("b")]));
    // 62 is the newest of the table.
    expect(decoder.decode(hex("be"))[0]?.[0]).toBe("b");
    expect(() => decoder.decode(hex("bf"))).toThrow("the index 63");
    expect(decoder.decode(hex("20"))).toEqual([]);
    expect(() => decoder.decode(hex("be"))).toThrow("the index 62");
  });

  it.each([
    ["an index of 0", "80", "the index 0"],
    ["an index beyond the table", "be", "the index 62"],
    ["a table larger than the SETTINGS allow", "3fe21f", "a table of 4097 bytes"],
    ["a new size of the table after a header", "8220", "after a header"],
    ["an integer without an end", "ffffffffffffffff", "an integer of more than 28 bits"],
    ["an end within an integer", "ff", "the end of the block within a header"],
    ["an end within a string", "0005616263", "the end of the block within a string"],
    ["padding of more than seven bits", "0082ffff00", "no Huffman code"],
    ["padding that is not ones", "00811800", "no Huffman code"],
    ["the Huffman code of the end", "0084ffffffff00", "no Huffman code"],
  ])("decode() refuses %s as an error of compression", (_name, block, text) => {
    const decode = () => new HpackDecoder().decode(hex(block));
    expect(decode).toThrow(text);
    expect(decode).toThrow(expect.objectContaining({ errorCode: ErrorCode.compressionError }));
  });

  it("decode() refuses a short block that stands for more than 256 KiB", () => {
    const decoder = new HpackDecoder();
    const long = Buffer.concat([hex("4001617fa11e"), Buffer.alloc(4_000, 46)]);
    decoder.decode(long);
    expect(() => decoder.decode(Buffer.alloc(100, 0xbe))).toThrow(ProtocolError);
  });

  it("decode() reads any bytes or throws a ProtocolError", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new HpackDecoder().decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe("decodeHuffman", () => {
  it("decodeHuffman() has a code for each byte, and one left for the end of the string", () => {
    // All codes of a length, from the smallest on: bytes that decode are those of the table.
    const found = new Set<string>();
    for (let length = 5; length <= 30; length++) {
      const padding = (8 - (length % 8)) % 8;
      for (let code = 2 ** length - 1; code >= 0 && 2 ** length - code < 600; code--) {
        const bits = code.toString(2).padStart(length, "0") + "1".repeat(padding);
        const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
        const text = decodeOrUndefined(bytes);
        if (text?.length === 1) found.add(text);
      }
    }
    expect(found.size).toBe(256);
  });

  function decodeOrUndefined(bytes: Uint8Array): string | undefined {
    try {
      return decodeHuffman(bytes);
    } catch {
      return undefined;
    }
  }
});

describe("encodeHeaders", () => {
  let server: Http2Server;
  let session: Http2Session;
  let received: IncomingHttpHeaders;
  beforeAll(async () => {
    server = createServer({ settings: { maxHeaderListSize: 2 ** 20 }, maxSessionMemory: 100 });
    server.on("stream", (stream, headers) => {
      received = headers;
      stream.on("error", () => {});
      stream.respond({ ":status": 200 }, { endStream: true });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    session = new Http2Session(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterAll(() => {
    session.drop();
    server.close();
  });

  it("encodeHeaders() makes blocks that node:http2 reads, also of more than one frame", async () => {
    const property = fc.asyncProperty(headerList, async (headers) => {
      const stream = await session.request("POST", "/a", Object.fromEntries(headers));
      stream.end();
      await once(stream.resume(), "close");
      expect(received[":method"]).toBe("POST");
      expect(received[":authority"]).toBe(new URL(session.authority).host);
      for (const [key, text] of headers) expect(received[key]).toBe(text);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it("encodeHeaders() uses the static table for names and values that are in it", () => {
    expect(
      encodeHeaders([
        [":method", "POST"],
        [":scheme", "https"],
      ]),
    ).toEqual(hex("8387"));
    expect(encodeHeaders([[":path", "/a"]])).toEqual(hex("04022f61"));
  });
});
