import { Fault, FaultCode, toFault } from "@daos/fault";
import { abortable, deadline, isTimeout } from "@daos/sys";
import { type HelperChannel, readFrame, writeFrame } from "./channel.ts";
import { PROTOCOL_VERSION } from "./envelopes.ts";
import { toFaultMessage } from "./fault-message.ts";
import { faultMalformed } from "./faults.ts";
import { encodeFrame } from "./frame.ts";
import type { HandlersOf, HelperContext, HelperProgress, MethodTable } from "./method-table.ts";
import { type ParsedRequest, parseRequest } from "./parse-request.ts";

/** How a request ended, for the audit. */
export type HelperOutcome<T extends MethodTable> =
  | { readonly kind: "done"; readonly request: ParsedRequest<T> }
  /** Well-formed, but not allowed or not possible. */
  | { readonly kind: "failed"; readonly request: ParsedRequest<T>; readonly fault: Fault }
  /** The bytes were not a request. */
  | { readonly kind: "malformed"; readonly fault: Fault }
  /** The caller closed the channel without sending a request. */
  | { readonly kind: "nothing" };

export interface ServeOptions<T extends MethodTable> {
  /** The closed set of requests. */
  readonly methods: T;
  readonly handlers: HandlersOf<T>;
  /** Called before the handler. If it throws, the error becomes the answer and the handler is not called. */
  readonly onRequest?: (request: ParsedRequest<T>) => void | Promise<void>;
  /** Timeout for the arrival of the request, ms; 10,000 by default. */
  readonly readTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Timeout for writing the answer to a caller that does not read, ms. */
const WRITE_TIMEOUT_MS = 10_000;

/**
 * Reads one request from the channel, calls its handler, and writes the answer. The caller cancels by closing its side: the
 * end of `input`, or any further byte, aborts the handler. Errors of the caller never reject the promise.
 */
export async function serveRequest<T extends MethodTable>(
  channel: HelperChannel,
  options: ServeOptions<T>,
): Promise<HelperOutcome<T>> {
  const outcome = await receive(channel, options);
  switch (outcome.kind) {
    case "nothing":
      channel.output.end();
      return outcome;
    case "malformed":
      await answer(channel, { error: toFaultMessage(outcome.fault), result: null });
      return outcome;
    case "received":
      return handle(channel, outcome.request, options);
  }
}

type Received<T extends MethodTable> =
  | { readonly kind: "received"; readonly request: ParsedRequest<T> }
  | { readonly kind: "malformed"; readonly fault: Fault }
  | { readonly kind: "nothing" };

async function receive<T extends MethodTable>(
  { input }: HelperChannel,
  options: ServeOptions<T>,
): Promise<Received<T>> {
  using limit = deadline(options.readTimeoutMs ?? 10_000, "a request", options.signal);
  try {
    const frame = await readFrame(input, limit);
    if (frame === undefined) return { kind: "nothing" };
    return { kind: "received", request: parseRequest(options.methods, frame.message) };
  } catch (error) {
    return { kind: "malformed", fault: isTimeout(error) ? faultMalformed(String(error)) : toFault(error) };
  }
}

async function handle<T extends MethodTable>(
  channel: HelperChannel,
  request: ParsedRequest<T>,
  options: ServeOptions<T>,
): Promise<HelperOutcome<T>> {
  using limit = deadline(request.timeoutMs, request.method, options.signal);
  const gone = new AbortController();
  const signal = AbortSignal.any([limit.signal, gone.signal]);
  const progress = (step: HelperProgress) => {
    if (channel.output.writable && !channel.output.writableNeedDrain) {
      channel.output.write(encodeFrame({ version: PROTOCOL_VERSION, progress: step }));
    }
  };
  const leave = watchCaller(channel, () => gone.abort(faultCallerGone(request.method)));
  try {
    await options.onRequest?.(request);
    signal.throwIfAborted();
    const handler = options.handlers[request.method] as (
      payload: unknown,
      context: HelperContext,
    ) => Promise<unknown>;
    const result = await abortableHandler(handler(request.payload, { signal, progress }), signal);
    leave();
    await answer(channel, { error: null, result });
    return { kind: "done", request };
  } catch (error) {
    leave();
    const fault = isTimeout(error) ? faultTimedOut(request) : toFault(error);
    await answer(channel, { error: toFaultMessage(fault), result: null });
    return { kind: "failed", request, fault };
  }
}

/**
 * A handler must end soon after its signal aborts, but must leave a known state: it finishes a mount, returns a controller
 * to its driver, and leaves a burnt-in controller empty.
 */
const ABORT_GRACE_MS = 30_000;

async function abortableHandler<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const grace = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => grace.abort(signal.reason), ABORT_GRACE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await abortable(work, grace.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Calls `onGone` when the caller closes its side or sends a byte after its request. Returns a function that stops the
 * watch.
 */
function watchCaller({ input, output }: HelperChannel, onGone: () => void): () => void {
  const onReadable = () => {
    if (input.read() !== null) onGone();
  };
  input.on("readable", onReadable).on("end", onGone).on("error", onGone).on("close", onGone);
  output.on("error", onGone).on("close", onGone);
  if (input.readableEnded || input.destroyed || output.destroyed) onGone();
  else onReadable();
  return () => {
    input.off("readable", onReadable).off("end", onGone).off("error", onGone).off("close", onGone);
    output.off("error", onGone).off("close", onGone);
  };
}

async function answer(channel: HelperChannel, body: { error: unknown; result: unknown }): Promise<void> {
  using limit = deadline(WRITE_TIMEOUT_MS, "the caller to read its answer");
  const ignore = () => {};
  // The caller is gone. The audit has the outcome.
  channel.output.on("error", ignore);
  await writeFrame(channel.output, encodeAnswer(body), limit).catch(ignore);
  channel.output.end();
}

function encodeAnswer(body: { error: unknown; result: unknown }): Buffer {
  try {
    return encodeFrame({ version: PROTOCOL_VERSION, ...body });
  } catch (error) {
    return encodeFrame({
      version: PROTOCOL_VERSION,
      error: toFaultMessage(toFault(error)),
      result: null,
    });
  }
}

function faultCallerGone(method: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.cancelled,
    description: `${method} was cancelled by its caller`,
    resolution: "ask again",
  });
}

function faultTimedOut({
  method,
  timeoutMs,
}: {
  readonly method: string;
  readonly timeoutMs: number;
}): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.timedOut,
    description: `${method} did not end within ${timeoutMs} ms`,
    resolution: "look in the helper's log for what it waited for, then ask again",
  });
}
