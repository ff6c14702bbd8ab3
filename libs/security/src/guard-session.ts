import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { performance } from "node:perf_hooks";
import type { ConnectionLimits } from "./connection-limits.ts";

interface StreamRecord {
  readonly openedAt: number;
  requestDone: boolean;
  /** What waits for the client to read it, when it last got less. */
  waiting: number;
  progressAt: number;
}

/**
 * Ends calls of a session whose request never ends or whose answer is not read, and the session itself when it is idle
 * or its client is gone. A call that just takes long is left alone.
 */
export function guardSession(session: ServerHttp2Session, limits: ConnectionLimits): void {
  const streams = new Map<ServerHttp2Stream, StreamRecord>();
  session.on("error", () => {});
  session.on("stream", (stream: ServerHttp2Stream) => {
    const now = performance.now();
    const record: StreamRecord = {
      openedAt: now,
      requestDone: stream.endAfterHeaders,
      waiting: 0,
      progressAt: now,
    };
    streams.set(stream, record);
    stream.on("error", () => {});
    stream.once("end", () => {
      record.requestDone = true;
    });
    stream.once("close", () => streams.delete(stream));
  });

  const sweep = setInterval(
    () => {
      const now = performance.now();
      for (const [stream, record] of streams) {
        if (isStuck(stream, record, limits, now)) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      }
    },
    Math.max(10, Math.min(limits.requestMs, limits.stallMs) / 4),
  );
  sweep.unref();

  const onIdle = () => {
    if (streams.size === 0) {
      session.close();
      setTimeout(() => session.destroy(), limits.handshakeMs).unref();
      return;
    }
    const unanswered = setTimeout(() => session.destroy(), limits.handshakeMs);
    const stop = () => clearTimeout(unanswered);
    session.once("close", stop);
    session.ping(() => {
      stop();
      session.off("close", stop);
      // Node.js tells of an idle time once only.
      if (!session.destroyed) session.setTimeout(limits.idleMs, onIdle);
    });
  };
  session.setTimeout(limits.idleMs, onIdle);
  session.once("close", () => clearInterval(sweep));
}

function isStuck(
  stream: ServerHttp2Stream,
  record: StreamRecord,
  limits: ConnectionLimits,
  now: number,
): boolean {
  if (!record.requestDone && now - record.openedAt > limits.requestMs) return true;
  const waiting = stream.writableLength;
  if (waiting === 0 || waiting < record.waiting) record.progressAt = now;
  record.waiting = waiting;
  return now - record.progressAt > limits.stallMs;
}
