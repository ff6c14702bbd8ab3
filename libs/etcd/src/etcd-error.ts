import { Code, ConnectError } from "@connectrpc/connect";

/** What is known of a call that failed. */
export type CallOutcome =
  /** It never left: no connection could be opened. */
  | "not-sent"
  /** etcd answered that it has not done it. */
  | "refused"
  /** It may have been done, or may still be. */
  | "unknown";

/** With these etcd says that it has not done what it was asked. All others may come after it was. */
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

/** A call to etcd that failed, with what is known of its outcome. */
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
  return new EtcdError(`${endpoint}: ${messageOf(cause)}`, { outcome: "not-sent", cause });
}

/** For a call that was made on a connection and failed. */
export function callFailed(endpoint: string, cause: unknown): EtcdError {
  const error = ConnectError.from(cause);
  return new EtcdError(`${endpoint}: ${error.rawMessage}`, {
    outcome: REFUSALS.has(error.code) ? "refused" : "unknown",
    code: error.code,
    cause,
  });
}

/**
 * What an operator can do about an etcd that does not do its work.
 *
 * @param error an EtcdError; also as the cause of others
 */
export function etcdAdvice(error: unknown): string {
  return isSpaceExceeded(error)
    ? "free space in etcd, whose members look healthy all the same: see the alarm NOSPACE with etcdctl alarm list, then " +
        "etcdctl compact REVISION, etcdctl defrag --cluster, etcdctl alarm disarm; or give etcd a larger --quota-backend-bytes"
    : "check the etcd servers (etcdctl endpoint health) and system_db in the configuration";
}

/** etcd has its alarm NOSPACE: until that is disarmed it refuses whatever may grow its database, leases included. */
function isSpaceExceeded(error: unknown): boolean {
  return (
    error instanceof EtcdError &&
    error.code === Code.ResourceExhausted &&
    error.message.includes("space exceeded")
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node.js tries all addresses of a name, and puts what became of them into an error without a text.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error.message;
}
