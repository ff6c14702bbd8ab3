import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { performance } from "node:perf_hooks";
import type { ConnectionLimits } from "./connection-limits.ts";

interface StreamRecord {
  readonly openedAt: number;
  requestDone: boolean;
  /** The bytes that wait for the client to read them, when they last became fewer. */
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

  // Not session.setTimeout: Node.js 24 never clears that timer, which keeps every closed session in memory until then.
  const idle = new IdleWatch(session, limits);
  const sweep = setInterval(
    () => {
      const now = performance.now();
      for (const [stream, record] of streams) {
        if (isStuck(stream, record, limits, now)) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      }
      idle.check(streams.size > 0, now);
    },
    Math.max(10, Math.min(limits.requestMs, limits.stallMs, limits.idleMs, limits.handshakeMs) / 4),
  );
  sweep.unref();
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

/** Closes a session without calls after the idle time; one with calls must answer a ping then. */
class IdleWatch {
  readonly #session: ServerHttp2Session;
  readonly #limits: ConnectionLimits;
  #bytes = -1;
  #activeAt = performance.now();
  /** When an unanswered ping, or a request to close, was sent. */
  #askedAt: number | undefined;

  constructor(session: ServerHttp2Session, limits: ConnectionLimits) {
    this.#session = session;
    this.#limits = limits;
  }

  check(busy: boolean, now: number): void {
    const session = this.#session;
    if (session.destroyed) return;
    if (this.#askedAt !== undefined) {
      if (now - this.#askedAt > this.#limits.handshakeMs) session.destroy();
      return;
    }
    const { bytesRead, bytesWritten } = session.socket;
    if (bytesRead + bytesWritten !== this.#bytes) {
      this.#bytes = bytesRead + bytesWritten;
      this.#activeAt = now;
    }
    if (now - this.#activeAt < this.#limits.idleMs) return;
    this.#askedAt = now;
    if (!busy) {
      session.close();
      return;
    }
    session.ping(() => {
      this.#askedAt = undefined;
      this.#activeAt = performance.now();
    });
  }
}
