/** How often to look, ms. */
const EVERY_MS = 200;

/**
 * Calls `onGone` when the process that started this one has ended, even by `kill -9`: then another one becomes the
 * parent. The real engine asks the kernel for a signal, which Node cannot.
 */
export function watchParent(onGone: () => void): NodeJS.Timeout {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, EVERY_MS).unref();
}
