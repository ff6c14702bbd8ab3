import { Code, ConnectError } from "@connectrpc/connect";
import { errorText } from "@daos/fault";
import { hasErrorCode } from "@daos/sys";

/** The known outcome of a failed call. */
export type CallOutcome =
  /** Not sent, because no connection could be opened, or not taken by a member that ends. */
  | "not-sent"
  /** etcd answered that it did not carry it out. */
  | "refused"
  /** It may have been carried out, or may still be. */
  | "unknown";

/** With these codes etcd did not carry out the request. Other codes may follow a request that was carried out. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.ResourceExhausted,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
]);

/** A failed call to etcd, with its known outcome. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";
  readonly outcome: CallOutcome;
  /** The gRPC status, when there was one. */
  readonly code: Code | undefined;

  constructor(
    message: string,
    options: {
      readonly outcome: CallOutcome;
      readonly code?: Code | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.outcome = options.outcome;
    this.code = options.code;
  }
}

/** For an endpoint to which no connection could be opened. */
export function notConnected(endpoint: string, cause: unknown): EtcdError {
  return new EtcdError(`${endpoint}: ${errorText(cause)}`, { outcome: "not-sent", cause });
}

/** For a call that was made on a connection and failed. */
export function callFailed(endpoint: string, cause: unknown): EtcdError {
  const error = ConnectError.from(cause);
  const outcome = hasErrorCode(error.cause, "ERR_HTTP2_STREAM_REFUSED") ? "not-sent" : "unknown";
  // This side uses the same codes for an answer that it cannot read.
  const isAnswer = error.isWireError || error.rawMessage.startsWith("HTTP 4");
  return new EtcdError(`${endpoint}: ${error.rawMessage}`, {
    outcome: isAnswer && REFUSALS.has(error.code) ? "refused" : outcome,
    code: error.code,
    cause,
  });
}

/**
 * The resolution for a failure of etcd.
 *
 * @param error an EtcdError; also as the cause of others
 */
export function etcdAdvice(error: unknown): string {
  return isSpaceExceeded(error)
    ? "free space in etcd, whose members look healthy nevertheless: see the alarm NOSPACE with etcdctl alarm list, then " +
        "etcdctl compact --physical REVISION, etcdctl defrag --cluster, etcdctl alarm disarm; or give etcd a larger --quota-backend-bytes"
    : "check the etcd servers (etcdctl endpoint health) and system_db in the configuration";
}

/**
 * etcd has raised its alarm NOSPACE. Until the alarm is disarmed it refuses every request that may grow its database,
 * leases included.
 */
export function isSpaceExceeded(error: unknown): error is EtcdError {
  return (
    error instanceof EtcdError &&
    error.code === Code.ResourceExhausted &&
    error.message.includes("space exceeded")
  );
}
