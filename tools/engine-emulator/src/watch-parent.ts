/** The interval of the checks, ms. */
const EVERY_MS = 200;

/**
 * Calls `onGone` when the parent process has ended, even by `kill -9`: another process then becomes the parent. The real engine
 * requests a signal from the kernel, which Node.js cannot do.
 */
export function watchParent(onGone: () => void): NodeJS.Timeout {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, EVERY_MS).unref();
}
