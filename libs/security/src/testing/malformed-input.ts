import type { Random } from "@daos/sys/testing";
import { RPC_ROLES } from "../authorize.ts";
import { FLAG, FRAME, frame, grpcHeaders, grpcMessage, PREFACE, settingsFrame } from "./raw-http2.ts";

const PATHS = [...RPC_ROLES.keys()];

/** The kinds of malformed input that {@link malformedHttp2} makes in turn. */
const MALFORMED_KINDS: readonly ((random: Random) => Buffer)[] = [
  // Not HTTP/2 at all.
  (random) => random.bytes(random.below(200)),
  (random) =>
    Buffer.concat([PREFACE.subarray(0, 1 + random.below(PREFACE.length)), random.bytes(random.below(100))]),
  (random) =>
    Buffer.from(`${random.pick(["GET", "POST", "PRI", "OPTIONS"])} ${random.pick(PATHS)} HTTP/1.1\r\n\r\n`),
  // Frames without sense.
  (random) => Buffer.concat([PREFACE, random.bytes(random.below(400))]),
  (random) =>
    start(
      ...Array.from({ length: 1 + random.below(20) }, () =>
        frame(random.below(12), random.below(256), random.below(6), random.bytes(random.below(60))),
      ),
    ),
  // Frames whose length lies, or that end early.
  (random) =>
    start(
      frame(random.below(10), random.below(256), 1, random.bytes(random.below(60)), random.below(0x1000000)),
    ),
  (random) => {
    const whole = start(
      call(random.pick(PATHS)),
      frame(FRAME.data, FLAG.endStream, 1, grpcMessage(random.bytes(20))),
    );
    return whole.subarray(0, PREFACE.length + random.below(whole.length - PREFACE.length));
  },
  // A good call with some bytes changed.
  (random) => {
    const whole = start(
      call(random.pick(PATHS)),
      frame(FRAME.data, FLAG.endStream, 1, grpcMessage(random.bytes(20))),
    );
    for (let changes = 1 + random.below(8); changes > 0; changes--) {
      whole[PREFACE.length + random.below(whole.length - PREFACE.length)] = random.below(256);
    }
    return whole;
  },
  // Headers that do not decode, or that no gRPC call has.
  (random) => start(frame(FRAME.headers, FLAG.endHeaders, 1, random.bytes(1 + random.below(120)))),
  (random) => start(call(random.bytes(1 + random.below(100)).toString("latin1"))),
  (random) =>
    start(
      call(random.pick(PATHS), [
        [
          random.bytes(1 + random.below(8)).toString("latin1"),
          random.bytes(random.below(50)).toString("latin1"),
        ],
        ["grpc-timeout", random.pick(["0n", "-1S", "99999999H", "x", "", "1e9S"])],
        ["grpc-encoding", random.pick(["gzip", "br", "snappy", "\0"])],
      ]),
      frame(FRAME.data, FLAG.endStream, 1, grpcMessage(random.bytes(10), 1)),
    ),
  // gRPC messages whose prefix lies, in too many or too few pieces.
  (random) =>
    start(
      call(random.pick(PATHS)),
      frame(
        FRAME.data,
        FLAG.endStream,
        1,
        grpcMessage(random.bytes(random.below(40)), random.below(256), random.below(2 ** 32)),
      ),
    ),
  (random) =>
    start(
      call(random.pick(PATHS)),
      ...Array.from({ length: 1 + random.below(10) }, () =>
        frame(FRAME.data, 0, 1, grpcMessage(random.bytes(random.below(30)))),
      ),
      frame(FRAME.data, FLAG.endStream, 1),
    ),
  // Frames of a call that never began, or in the wrong order.
  (random) =>
    start(
      frame(FRAME.data, 0, 1 + 2 * random.below(5), random.bytes(10)),
      frame(FRAME.continuation, FLAG.endHeaders, 1, grpcHeaders(random.pick(PATHS))),
      frame(FRAME.pushPromise, FLAG.endHeaders, 2, random.bytes(10)),
    ),
  (random) =>
    start(
      settingsFrame(
        [random.below(10), random.below(2 ** 32)],
        [4, random.below(2 ** 32)],
        [5, random.below(2 ** 32)],
      ),
      call(random.pick(PATHS)),
      frame(FRAME.windowUpdate, 0, random.below(2), random.bytes(4)),
      frame(FRAME.resetStream, 0, 1, random.bytes(4)),
    ),
];

/** The `index`th malformed input. */
export function malformedHttp2(random: Random, index: number): Buffer {
  return (MALFORMED_KINDS[index % MALFORMED_KINDS.length] as (random: Random) => Buffer)(random);
}

/** Bytes that begin as a TLS handshake and go wrong. */
export function malformedTls(random: Random): Buffer {
  const body = random.bytes(random.below(300));
  const length = random.below(3) === 0 ? random.below(65536) : body.length;
  const header = Buffer.from([
    random.pick([0x16, 0x16, 0x16, 0x15, 0x17]),
    3,
    random.below(5),
    length >> 8,
    length & 255,
  ]);
  // A ClientHello says 1 and its own length.
  if (body.length > 4 && random.below(2) === 0)
    body.set([1, 0, (body.length - 4) >> 8, (body.length - 4) & 255]);
  return Buffer.concat([header, body]);
}

function start(...frames: readonly Buffer[]): Buffer {
  return Buffer.concat([PREFACE, settingsFrame(), ...frames]);
}

function call(path: string, extra: readonly (readonly [string, string])[] = []): Buffer {
  return frame(FRAME.headers, FLAG.endHeaders, 1, grpcHeaders(path, extra));
}
