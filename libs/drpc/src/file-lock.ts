import { native } from "./native.ts";

/**
 * Takes the exclusive lock of an open file, without waiting. The lock belongs to the open file description: processes that
 * inherit the descriptor have it too, and it ends when the last of them has closed it or has ended.
 *
 * @returns false when another open file description has the lock
 * @throws Error with the errno's name as `code`
 * @see man 2 flock
 */
export function tryLockFile(fd: number): boolean {
  return native.tryLock(fd);
}
