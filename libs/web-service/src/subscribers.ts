import { faultLimit } from "./faults.ts";

/** Maximum number of windows that watch at the same time. */
const MAX_SUBSCRIBERS = 32;
/** Maximum number of messages that wait for a window that does not read. */
const MAX_WAITING = 1_000;

interface Subscriber<T> {
  readonly waiting: T[];
  /** Its queue was full, so it gets no more messages. */
  isSlow: boolean;
  wake: () => void;
}

/** Publishes messages to all subscribers. */
export class Subscribers<T> {
  readonly #all = new Set<Subscriber<T>>();

  get size(): number {
    return this.#all.size;
  }

  /**
   * Sends a message to all subscribers. A subscriber whose queue is full gets no more: its reader is paused and cannot
   * notice this itself.
   */
  publish(message: T): void {
    for (const subscriber of this.#all) {
      if (subscriber.waiting.push(message) > MAX_WAITING) this.#leaveOut(subscriber);
      subscriber.wake();
    }
  }

  #leaveOut(subscriber: Subscriber<T>): void {
    subscriber.isSlow = true;
    subscriber.waiting.length = 0;
    this.#all.delete(subscriber);
  }

  /**
   * Yields `first`, then what is published. When there is nothing for `idleMs`, it yields what `idle` makes. It ends when
   * the signal aborts. @throws Fault webLimit for too many listeners, and for one that is too slow
   */
  async *listen(
    first: readonly T[],
    {
      signal,
      idleMs,
      idle,
    }: { readonly signal: AbortSignal; readonly idleMs: number; readonly idle: () => T },
  ): AsyncGenerator<T> {
    if (this.#all.size >= MAX_SUBSCRIBERS) throw faultLimit("too many windows that watch", MAX_SUBSCRIBERS);
    const subscriber: Subscriber<T> = { waiting: [...first], isSlow: false, wake: () => {} };
    this.#all.add(subscriber);
    try {
      while (!signal.aborted) {
        if (subscriber.isSlow) throw faultLimit("a window that does not read", MAX_WAITING);
        const next = subscriber.waiting.shift();
        if (next !== undefined) yield next;
        else if (!(await woken(subscriber, signal, idleMs)) && !signal.aborted) yield idle();
      }
    } finally {
      this.#all.delete(subscriber);
    }
  }
}

/** Waits for a message. Resolves to false when the time is over or the signal aborts. */
function woken(subscriber: Subscriber<unknown>, signal: AbortSignal, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (result: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      subscriber.wake = () => {};
      resolve(result);
    };
    const onAbort = () => end(false);
    const timer = setTimeout(() => end(false), ms);
    signal.addEventListener("abort", onAbort, { once: true });
    subscriber.wake = () => end(true);
    if (subscriber.waiting.length > 0) end(true);
  });
}
