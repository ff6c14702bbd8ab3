import type { CallOptions } from "@connectrpc/connect";

/**
 * Reads a server's stream. When its reader leaves before the end, the call is cancelled and its timer is cleared: Connect does
 * that only when the next message is asked for, and until then the timer keeps the process alive.
 *
 * @param open calls the method with these options
 */
export async function* readStream<T>(
  open: (options: CallOptions) => AsyncIterable<T>,
  options: CallOptions,
): AsyncGenerator<T, void> {
  const left = new AbortController();
  const signal = options.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]);
  const messages = open({ ...options, signal })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await messages.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    left.abort(new DOMException("the reader of the stream has left", "AbortError"));
    await messages.next().catch(() => {});
  }
}
