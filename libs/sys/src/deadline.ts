import { monotonicNow } from "./monotonic-now.ts";
/**
 * Time limit of a format of a host's storage, ms, from `dmg` down to the tool that does it: large NVMe drives need more
 * than an hour. A part with a longer limit would go on for a caller that has given up.
 */
export const FORMAT_TIMEOUT_MS = 2 * 60 * 60_000;

/** A signal that ends its wait; dispose it (`using`) when the wait is over, so that its timer goes too. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A signal that aborts after `ms` milliseconds, or as soon as `parent` does, with the reason of whichever came first.
 * The reason of the deadline itself is a `DOMException` named `TimeoutError` that says what was waited for.
 *
 * @param ms may be a function, which is called again when its last time is over
 */
export function deadline(ms: number | (() => number), waitingFor: string, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = (reason: unknown) => {
    dispose();
    controller.abort(reason);
  };
  const stop = whenLate(ms, waitingFor, abort);
  const onParent = () => abort(parent?.reason);
  const dispose = () => {
    stop();
    parent?.removeEventListener("abort", onParent);
  };
  if (parent?.aborted) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}

/** Calls `onLate` with the reason of a {@link deadline} after `ms` milliseconds. @returns stops the timer */
function whenLate(
  ms: number | (() => number),
  waitingFor: string,
  onLate: (reason: DOMException) => void,
): () => void {
  const begun = monotonicNow();
  const allowedMs = () => (typeof ms === "number" ? ms : ms());
  const onTime = () => {
    const late = allowedMs();
    const leftMs = begun + late - monotonicNow();
    // Node.js may be a millisecond early.
    if (typeof ms !== "number" && leftMs >= 1) timer = setTimeout(onTime, leftMs);
    else onLate(new DOMException(`no end of "${waitingFor}" within ${late} ms`, "TimeoutError"));
  };
  let timer = setTimeout(onTime, allowedMs());
  return () => clearTimeout(timer);
}

/** True for the reason that {@link deadline} aborts with. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** Resolves after `ms` milliseconds. @throws the signal's reason as soon as it aborts */
export function delay(
  ms: number,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * The outcome of `work`, or the signal's reason if that comes first. For work that takes no signal of its own: after an
 * abort it goes on, and its outcome is ignored.
 *
 * @param limit also ends the wait, as a {@link deadline} does. A signal of its own would take longer to make.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal, limit?: TimeLimit): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      stopTimer?.();
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (reason: unknown) => {
      stop();
      reject(reason);
    };
    const onAbort = () => fail(signal.reason);
    const stopTimer = limit === undefined ? undefined : whenLate(limit.ms, limit.waitingFor, fail);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then((value) => {
      stop();
      resolve(value);
    }, fail);
  });
}

/** @see deadline */
export interface TimeLimit {
  readonly ms: number | (() => number);
  readonly waitingFor: string;
}
