import { performServerHandshake } from "node:http2";
import type { Socket } from "node:net";
import type { Fault } from "@daos/fault";
import { DEFAULT_LIMITS, http2ServerLimits } from "./connection-limits.ts";
import { GrpcCode, refuseStream } from "./grpc-refusal.ts";

/** How long a refused client has to make a call, ms; the answer has the reason of the refusal. */
export const REFUSAL_MS = 5_000;

/** Answers the first call with the reason, then closes; at most one stream, and no longer than {@link REFUSAL_MS}. */
export function refuseConnection(
  socket: Socket,
  fault: Fault,
  code: number = GrpcCode.unauthenticated,
): void {
  const session = performServerHandshake(socket, {
    ...http2ServerLimits({ ...DEFAULT_LIMITS, maxConcurrentStreams: 1, resetBurst: 1, resetsPerSecond: 1 }),
    maxSessionMemory: 1,
  });
  const timer = setTimeout(() => session.destroy(), REFUSAL_MS);
  session.on("error", () => {});
  session.once("close", () => clearTimeout(timer));
  session.once("stream", (stream) => {
    refuseStream(stream, code, fault);
    // Not destroyed at once: the answer is still on its way.
    stream.once("close", () => session.close());
  });
}
