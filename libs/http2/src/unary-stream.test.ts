import { describe, expect, it } from "vitest";
import { ErrorCode } from "./error-code.ts";
import type { Header } from "./hpack-table.ts";
import { STREAM_WINDOW_BYTES } from "./http2-stream.ts";
import type { Received } from "./read-answer.ts";
import { UnaryStream } from "./unary-stream.ts";

const STATUS: Header = [":status", "200"];
const TYPE: Header = ["content-type", "application/grpc"];
const DONE: Header = ["grpc-status", "0"];

/** A stream whose request was sent, on a connection that takes `sendable` bytes of its message. */
function begin(message: Uint8Array, sendable = Number.POSITIVE_INFINITY) {
  const sent: (readonly [frame: string, ...unknown[]])[] = [];
  const outcomes: (Received | Error)[] = [];
  let left = sendable;
  const stream = new UnaryStream(
    {
      sendable: () => left,
      sendData: (_stream, bytes, isLast) => {
        left -= bytes.length;
        sent.push(["DATA", bytes.length, isLast]);
      },
      sendReset: (_stream, code) => sent.push(["RST_STREAM", code]),
      sendWindowUpdate: (_stream, bytes) => sent.push(["WINDOW_UPDATE", bytes]),
      remove: () => sent.push(["removed"]),
    },
    message,
    (outcome) => outcomes.push(outcome),
  );
  stream.id = 1;
  stream.flush();
  const grow = (bytes: number) => {
    left += bytes;
    stream.flush();
  };
  return { stream, sent, outcomes, grow };
}

/** A message of so many bytes with its prefix. */
function prefixed(bytes: number): Buffer {
  const body = Buffer.alloc(5 + bytes);
  body.writeUInt32BE(bytes, 1);
  return body;
}

describe("UnaryStream", () => {
  it("sends its message as the windows allow, and ends it once", () => {
    const { sent, grow } = begin(Buffer.alloc(100), 30);
    grow(0);
    grow(69);
    grow(50);
    grow(50);
    expect(sent).toEqual([
      ["DATA", 30, false],
      ["DATA", 69, false],
      ["DATA", 1, true],
    ]);
  });

  it("ends the request without an error when it is answered before all of it was sent", () => {
    const { stream, sent, outcomes } = begin(Buffer.alloc(100), 30);
    stream.receiveHeaders([STATUS, DONE], true);
    expect(sent).toEqual([["DATA", 30, false], ["RST_STREAM", ErrorCode.noError], ["removed"]]);
    expect(outcomes).toMatchObject([{ headers: { ":status": 200, "grpc-status": "0" }, trailers: {} }]);
  });

  it("passes over interim answers, and gives half a window back to the server at a time", () => {
    const { stream, sent, outcomes } = begin(Buffer.alloc(5));
    const answer = prefixed(STREAM_WINDOW_BYTES);
    const piece = answer.length / 5;
    stream.receiveHeaders([[":status", "103"]], false);
    stream.receiveHeaders([STATUS, TYPE], false);
    for (let at = 0; at < 5; at++)
      stream.receiveData(answer.subarray(at * piece, (at + 1) * piece), piece, false);
    stream.receiveHeaders([DONE], true);
    expect(sent).toEqual([["DATA", 5, true], ["WINDOW_UPDATE", 3 * piece], ["removed"]]);
    expect(outcomes).toEqual([
      {
        headers: { ":status": 200, "content-type": "application/grpc" },
        trailers: { "grpc-status": "0" },
        body: answer,
      },
    ]);
  });

  it("keeps the bytes of small and empty frames, and not the frames", () => {
    const { stream, outcomes } = begin(Buffer.alloc(5));
    const answer = Buffer.concat([prefixed(1_000).subarray(0, 5), Buffer.alloc(1_000, "abcdefg")]);
    const frame = Buffer.alloc(1);
    stream.receiveHeaders([STATUS, TYPE], false);
    stream.receiveData(Buffer.alloc(0), 0, false);
    stream.receiveData(answer.subarray(0, 1), 1, false);
    for (let at = 1; at < answer.length; at++) {
      frame.fill(answer.subarray(at, at + 1));
      stream.receiveData(frame, 1, false);
      stream.receiveData(frame.subarray(1), 0, false);
    }
    stream.receiveHeaders([DONE], true);
    expect(outcomes).toMatchObject([{ body: answer }]);
  });

  it("is over, without the page, when what answers is no server of gRPC", () => {
    const { stream, sent, outcomes } = begin(Buffer.alloc(5));
    stream.receiveHeaders(
      [
        [":status", "503"],
        ["content-type", "text/html"],
      ],
      false,
    );
    stream.receiveData(Buffer.from("<html>no healthy upstream</html>"), 32, false);
    expect(sent).toEqual([["DATA", 5, true], ["RST_STREAM", ErrorCode.cancel], ["removed"]]);
    expect(outcomes).toMatchObject([{ headers: { ":status": 503 }, body: Buffer.alloc(0) }]);
  });

  it.each<readonly [string, (stream: UnaryStream) => void, string | undefined]>([
    ["the server resets it", (stream) => stream.receiveReset(ErrorCode.refusedStream), "error code 7"],
    ["the server cancels it", (stream) => stream.receiveReset(ErrorCode.cancel), "error code 0x8"],
    ["the connection is lost", (stream) => stream.lose(new Error("lost")), "lost"],
    ["this side closes it", (stream) => stream.close(ErrorCode.cancel), undefined],
  ])("is over once when %s", (_name, act, text) => {
    const { stream, outcomes } = begin(Buffer.alloc(5));
    stream.receiveHeaders([STATUS], false);
    act(stream);
    stream.lose(new Error("later"));
    stream.close(ErrorCode.cancel);
    expect(outcomes.map(String)).toEqual(text === undefined ? [] : [expect.stringContaining(text)]);
  });
});
