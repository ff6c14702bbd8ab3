import type { Socket } from "node:net";

/** A peer that may listen on a configured port instead of a working server. */
export interface MisbehavingPeer {
  readonly name: string;
  /** The handler of a connection, for `RawServer.start`. */
  readonly handle: (socket: Socket) => void;
  /** It gives no answer: a call ends at its deadline. */
  readonly isSilent?: boolean;
}

const HEADERS = 1;
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const SETTINGS = Buffer.from("000000040000000000", "hex");
/** GOAWAY frames that say that no stream was processed, with NO_ERROR and with ENHANCE_YOUR_CALM. */
const GOAWAY = Buffer.from("0000080700000000000000000000000000", "hex");
const GOAWAY_CALM = Buffer.from("000008070000000000000000000000000b", "hex");
/** A SETTINGS frame of three bytes, which RFC 9113 section 6.5 forbids. */
const BAD_SETTINGS = Buffer.from("000003040000000000abcdef", "hex");
const SSH_BANNER = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

/** Every peer is seen by plain text clients. */
export const MISBEHAVING_PEERS: readonly MisbehavingPeer[] = [
  { name: "a host that is frozen", handle: () => {}, isSilent: true },
  { name: "a port that closes at once", handle: (socket) => socket.end() },
  { name: "a port that resets at once", handle: (socket) => socket.resetAndDestroy() },
  { name: "a web server", handle: (socket) => socket.once("data", () => socket.end(BAD_REQUEST)) },
  { name: "a web server that does not close", handle: (socket) => socket.write(BAD_REQUEST) },
  { name: "an SSH server", handle: (socket) => socket.write(SSH_BANNER) },
  { name: "a port that sends garbage", handle: (socket) => socket.write(Buffer.alloc(4_096, 0xa5)) },
  { name: "a server with malformed SETTINGS", handle: (socket) => socket.write(BAD_SETTINGS) },
  { name: "a server that sends GOAWAY at once", handle: (socket) => socket.end(frames(SETTINGS, GOAWAY)) },
  {
    name: "a server that sends GOAWAY with an error",
    handle: (socket) => socket.write(frames(SETTINGS, GOAWAY_CALM)),
  },
  { name: "a server that closes after its SETTINGS", handle: (socket) => socket.end(SETTINGS) },
  {
    name: "a server that sends garbage after its SETTINGS",
    handle: (socket) => socket.write(frames(SETTINGS, Buffer.from(SSH_BANNER.repeat(20)))),
  },
  {
    name: "a server that never answers a request",
    handle: (socket) => socket.write(SETTINGS),
    isSilent: true,
  },
  { name: "a server that closes at a request", handle: atRequest((socket) => socket.end()) },
  { name: "a server that resets at a request", handle: atRequest((socket) => socket.resetAndDestroy()) },
  {
    name: "a server that sends garbage at a request",
    handle: atRequest((socket) => socket.write(SSH_BANNER)),
  },
  { name: "a server that sends GOAWAY at a request", handle: atRequest((socket) => socket.end(GOAWAY)) },
  { name: "a server that resets the stream", handle: atRequest((socket, id) => socket.write(rstStream(id))) },
];

function frames(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

/** Ends a stream with INTERNAL_ERROR. */
function rstStream(id: number): Buffer {
  const frame = Buffer.from("00000403000000000000000002", "hex");
  frame.writeUInt32BE(id, 5);
  return frame;
}

/** Sends SETTINGS as a server does, and acts on each request. */
function atRequest(act: (socket: Socket, streamId: number) => void): (socket: Socket) => void {
  return (socket) => {
    let received = Buffer.alloc(0);
    let at = PREFACE_BYTES;
    socket.write(SETTINGS);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (at + FRAME_HEADER_BYTES <= received.length) {
        if (received.readUInt8(at + 3) === HEADERS) act(socket, received.readUInt32BE(at + 5));
        at += FRAME_HEADER_BYTES + received.readUIntBE(at, 3);
      }
    });
  };
}
