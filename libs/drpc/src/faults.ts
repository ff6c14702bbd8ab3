import { errorText, Fault, FaultCode } from "@daos/fault";
import { errnoName } from "./native.ts";

/** The largest packet in either direction, bytes. The C side allocates exactly this size. */
export const MAX_PACKET = 16384;

/** The directory of the socket is missing, no directory, or not writable. */
export function faultSocketDirectory(path: string, directory: string, cause: unknown): Fault {
  const missing = errnoName(cause) === "ENOENT";
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcSocketDirectory,
    description: `cannot listen on ${path}: the directory ${directory} ${missing ? "does not exist" : "cannot be used"}`,
    reason: missing ? undefined : errorText(cause),
    resolution: `create it, owned by the user that runs this program and mode 0755 (mkdir -m 0755 ${directory}), or set socket_dir to a directory that has room for short paths (107 bytes)`,
    cause,
  });
}

/** The path is in use, by a live server or by a file that is not a socket. */
export function faultSocketBusy(path: string, cause: unknown): Fault {
  const other = errnoName(cause) === "EEXIST";
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcSocketBusy,
    description: other
      ? `cannot listen on ${path}: there is a file that is not a socket`
      : `cannot listen on ${path}: another process is listening there`,
    resolution: other
      ? `move ${path} away`
      : `stop the other server, or give this one a socket_dir of its own (ss -xlp src ${path} shows who it is)`,
    cause,
  });
}

export function faultConnect(path: string, cause: unknown): Fault {
  const code = errnoName(cause);
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcConnect,
    description: `cannot connect to ${path}`,
    reason: errorText(cause),
    resolution:
      code === "ENOENT"
        ? "check that the process which makes this socket runs, and that both use the same socket_dir"
        : code === "ECONNREFUSED"
          ? "the process that made this socket has ended: start it again"
          : code === "EACCES"
            ? "run this program as a user, or in a group, that may write to the socket"
            : "look in the log of the process that listens there",
    cause,
  });
}

/** @param attempted the method and the socket's path, as in `setRank on /run/x.sock` */
export function faultMessageTooLong(attempted: string, length: number): Fault {
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcMessageTooLong,
    description: `${attempted}: the message has ${length} bytes, a dRPC packet at most ${MAX_PACKET}`,
    resolution: "use fewer or shorter values, such as a shorter access control list or fewer ranks",
  });
}

export function faultConnectionLost(attempted: string, cause?: unknown): Fault {
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcConnectionLost,
    description: `${attempted}: the connection was lost`,
    reason: cause === undefined ? undefined : errorText(cause),
    resolution:
      "the peer has ended or closed the connection: look in its log; what was asked may have been done",
    cause,
  });
}

export function faultCallFailed(attempted: string, status: string): Fault {
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcCallFailed,
    description: `${attempted}: the peer answered ${status}`,
    resolution:
      status === "UNKNOWN_MODULE" || status === "UNKNOWN_METHOD"
        ? "the peer is of another release: run the same release on both sides"
        : "look in the peer's log",
  });
}

export function faultMalformed(attempted: string, cause: unknown): Fault {
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcMalformed,
    description: `${attempted}: the answer cannot be decoded`,
    reason: errorText(cause),
    resolution: "the peer is of another release, or not a DAOS engine: check what listens on the socket",
    cause,
  });
}

/** The peer does not read, and its queue is full. */
export function faultPeerStalled(attempted: string, waiting: number): Fault {
  return new Fault({
    domain: "drpc",
    code: FaultCode.drpcPeerStalled,
    description: `${attempted}: the peer does not read, and ${waiting} messages wait for it already`,
    resolution: "the peer is overloaded or stopped: look in its log, then restart it",
  });
}
