/**
 * Runs `work` on every item, at most `limit()` at a time, and yields the results as they arrive. `work` must not throw.
 * When the reader stops early, no more work starts.
 */
export async function* fanOut<Item, Result>(
  items: readonly Item[],
  limit: () => number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const ready: Result[] = [];
  let wake = () => {};
  let failure: { readonly error: unknown } | undefined;
  let next = 0;
  let running = 0;
  const start = () => {
    while (running < limit() && next < items.length) {
      const item = items[next++] as Item;
      running++;
      work(item)
        .then(
          (result) => ready.push(result),
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => {
          running--;
          start();
          wake();
        });
    }
  };
  start();
  try {
    while (running > 0 || ready.length > 0) {
      yield* ready.splice(0);
      if (failure !== undefined) throw failure.error;
      if (running > 0 && ready.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    next = items.length;
  }
}
