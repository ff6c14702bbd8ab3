import { constants, type ServerHttp2Stream } from "node:http2";
import type { Fault } from "@daos/fault";
import { faultReceiveBudget, faultRequestTooLarge } from "./faults.ts";
import { GrpcCode, refuseStream } from "./grpc-refusal.ts";
import { type BudgetShare, REQUEST_COST, type ReceiveBudget } from "./receive-budget.ts";

/** Flag and length of a gRPC message. */
const PREFIX = 5;

export interface GuardBodyOptions {
  readonly path: string;
  /** The largest request of its method, bytes. */
  readonly maxBytes: number;
  readonly budget: ReceiveBudget;
  readonly share: BudgetShare;
  readonly onRefused: (fault: Fault) => void;
}

/**
 * Limits the body of a request while it is received. A body that exceeds its method's limit, or whose prefix announces
 * this, is refused at once, as is one for which the budget has no bytes left. The bytes return to the budget when the
 * request ends.
 *
 * @returns false when the request is refused already: no handler may see it
 */
export function guardBody(stream: ServerHttp2Stream, options: GuardBodyOptions): boolean {
  const { path, maxBytes, budget, share } = options;
  if (stream.endAfterHeaders) return true;
  let taken = 0;
  let received = 0;
  const prefix = Buffer.alloc(PREFIX);

  const release = () => {
    budget.give(share, taken);
    taken = 0;
    stream.off("data", onData);
  };
  const refuse = (fault: Fault): false => {
    release();
    options.onRefused(fault);
    refuseStream(stream, GrpcCode.resourceExhausted, fault);
    // The answer is complete: the client need not send the rest. (RFC 9113, 8.1)
    stream.close(constants.NGHTTP2_NO_ERROR);
    return false;
  };
  const take = (bytes: number): boolean => {
    if (!budget.take(share, bytes)) return refuse(faultReceiveBudget(share, budget.limit(share)));
    taken += bytes;
    return true;
  };
  const onData = (chunk: Buffer) => {
    if (received < PREFIX) chunk.copy(prefix, received);
    received += chunk.length;
    const announced = received < PREFIX ? 0 : prefix.readUInt32BE(1);
    const size = Math.max(announced, received - PREFIX);
    if (size > maxBytes) refuse(faultRequestTooLarge(path, size, maxBytes));
    else take(chunk.length);
  };
  // A listener for data starts the flow of the stream, so this listener is added together with the handler's, just
  // before it.
  const onListener = (event: string | symbol) => {
    if (event !== "data") return;
    stream.off("newListener", onListener);
    stream.on("data", onData);
  };

  if (!take(REQUEST_COST)) return false;
  stream.on("newListener", onListener);
  stream.once("end", release);
  stream.once("close", release);
  return true;
}
