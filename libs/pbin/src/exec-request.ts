import { abortable, deadline, delay, isTimeout } from "@daos/sys";
import { readFrame, writeFrame } from "./channel.ts";
import { PROTOCOL_VERSION, progressEnvelope, responseEnvelope } from "./envelopes.ts";
import { fromFaultMessage } from "./fault-message.ts";
import { faultMalformed, faultNoAnswer } from "./faults.ts";
import { encodeFrame } from "./frame.ts";
import type { HelperLocation } from "./helper-location.ts";
import {
  type HelperProgress,
  type MethodOf,
  type MethodTable,
  type RequestOf,
  type ResultOf,
  schemasOf,
} from "./method-table.ts";
import { type OpenChannel, openChannel } from "./open-channel.ts";

export interface ExecRequestOptions {
  readonly helper: HelperLocation;
  readonly signal?: AbortSignal | undefined;
  /** The helper's deadline, ms; 60,000 by default. */
  readonly timeoutMs?: number;
  readonly onProgress?: ((progress: HelperProgress) => void) | undefined;
}

/**
 * The helper reports its own timeout at its deadline. If that report does not come within this time, the caller gives up,
 * ms.
 */
const GRACE_MS = 10_000;

/** Error codes that mean that the other side has closed the channel. */
const LOST: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Executes one request in the helper. The helper is started, or connected to, for this request alone. When the signal
 * aborts, the channel is closed, which cancels the work of the helper.
 *
 * @throws Fault of the helper with its own code; helperUnavailable, helperFailed, helperMalformed; the signal's reason
 */
export async function execRequest<T extends MethodTable, M extends MethodOf<T>>(
  methods: T,
  request: RequestOf<T, M>,
  options: ExecRequestOptions,
): Promise<ResultOf<T, M>> {
  const { helper, timeoutMs = 60_000 } = options;
  const { method, payload } = request;
  using limit = deadline(timeoutMs + GRACE_MS, method, options.signal);
  const { signal } = limit;
  signal.throwIfAborted();
  const frame = encodeFrame({ version: PROTOCOL_VERSION, method, timeoutMs, payload });
  const channel = await abortable(openChannel(helper), signal);
  // A helper that refuses its caller may answer and exit before it has read the request.
  const written = writeFrame(channel.output, frame, { signal }).catch(() => {});
  try {
    for (;;) {
      const message = await nextMessage(channel, method, signal);
      const step = progressEnvelope.safeParse(message);
      if (!step.success) return readAnswer(methods, method, message);
      const { progress } = step.data;
      options.onProgress?.({ ...progress, remainingMs: progress.remainingMs });
    }
  } catch (error) {
    throw isTimeout(error) ? faultNoAnswer(method, String(error)) : error;
  } finally {
    channel.close();
    await written;
  }
}

async function nextMessage(channel: OpenChannel, method: string, signal: AbortSignal): Promise<unknown> {
  try {
    const answer = await readFrame(channel.input, { signal });
    if (answer !== undefined) return answer.message;
  } catch (error) {
    signal.throwIfAborted();
    const lost = error instanceof Error && "code" in error && LOST.has(error.code);
    throw lost ? faultNoAnswer(method, "it closed the connection") : error;
  }
  // The streams end shortly before the process.
  throw faultNoAnswer(
    method,
    await Promise.race([channel.ended, delay(1_000, { signal }).then(() => "it closed its output")]),
  );
}

function readAnswer<T extends MethodTable, M extends MethodOf<T>>(
  methods: T,
  method: M,
  message: unknown,
): ResultOf<T, M> {
  const envelope = responseEnvelope.safeParse(message);
  if (!envelope.success) throw faultMalformed("an unreadable answer", envelope.error);
  const { version, error, result } = envelope.data;
  if (error !== null) throw fromFaultMessage(error);
  if (version !== PROTOCOL_VERSION) throw faultMalformed(`an answer of protocol version ${version}`);
  const parsed = schemasOf(methods, method)?.result.safeParse(result);
  if (parsed?.success !== true) throw faultMalformed(`an unreadable result of ${method}`, parsed?.error);
  // The result was parsed with the schema of this method.
  return parsed.data as ResultOf<T, M>;
}
