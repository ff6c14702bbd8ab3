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

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node.js tries all addresses of a name, and puts what became of them into an error without a text.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error.message;
}
