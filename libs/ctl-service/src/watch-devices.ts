import type { DeviceProgress } from "@daos/bdev";

/** An output of work on devices: progress, or the final result. */
export type DeviceEvent<T> =
  | { readonly kind: "progress"; readonly progress: DeviceProgress }
  | { readonly kind: "result"; readonly result: T };

/** Minimum time between two reports of a device's progress, ms. */
const EVERY_MS = 250;

/**
 * Does work on devices and yields the newest progress of each as it comes, then the result. A caller that stops reading
 * must abort the signal of the work; the generator then waits for the work to end.
 *
 * @throws what the work throws
 */
export async function* watchDevices<T>(
  work: (onProgress: (progress: DeviceProgress) => void) => Promise<T>,
  options: { readonly everyMs?: number } = {},
): AsyncGenerator<DeviceEvent<T>> {
  const { everyMs = EVERY_MS } = options;
  const fresh = new Map<string, DeviceProgress>();
  let ended = false;
  let wake = () => {};
  const result = work((progress) => {
    fresh.set(progress.device, progress);
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  // Its failure is thrown below, after the last progress.
  result.catch(() => {});
  const news = () => {
    const events = [...fresh.values()].map((progress) => ({ kind: "progress", progress }) as const);
    fresh.clear();
    return events;
  };
  try {
    while (!ended) {
      if (fresh.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      yield* news();
      if (ended) break;
      await pause(everyMs, result);
    }
    yield* news();
    yield { kind: "result", result: await result };
  } finally {
    await result.catch(() => {});
  }
}

/** Waits `ms`, or until the work ends. */
async function pause(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([
    over,
    work.then(
      () => {},
      () => {},
    ),
  ]);
  clearTimeout(timer);
}
