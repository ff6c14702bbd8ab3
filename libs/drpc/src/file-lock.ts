import { native } from "./native.ts";

/**
 * Takes the exclusive lock of an open file, without waiting. The lock belongs to the open file description. Processes
 * that inherit the descriptor share it. It ends when the last descriptor is closed.
 *
 * @returns false when another open file description has the lock
 * @throws Error with the errno's name as `code`
 * @see man 2 flock
 */
export function tryLockFile(fd: number): boolean {
  return native.tryLock(fd);
}
