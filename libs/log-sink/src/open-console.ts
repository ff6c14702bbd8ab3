import { constants, fstatSync, openSync, writeSync } from "node:fs";

const STDERR = 2;

/** Writes as much as fits and returns the number of bytes. @throws when nothing can be written */
type Write = (bytes: Uint8Array) => number;

/**
 * Opens standard error, or another descriptor, for writes that never block: neither on a pipe whose reader has stopped, nor
 * on a terminal held by Ctrl-S, nor on a journal that hangs.
 *
 * Pipes and terminals are reopened, because O_NONBLOCK belongs to the open file description, which other processes share.
 * Sockets cannot be reopened; Node's own stream sets O_NONBLOCK for them.
 */
export function openConsole(fd: number): Write {
  const stat = fstatSync(fd);
  // Reading the property opens the stream.
  if (stat.isSocket() && fd === STDERR) void process.stderr.writable;
  return writeToDescriptor(stat.isFIFO() || stat.isCharacterDevice() ? (openAnew(fd) ?? fd) : fd);
}

function writeToDescriptor(fd: number): Write {
  return (bytes) => {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
      throw error;
    }
  };
}

/** Undefined when it cannot be opened: a pipe without a reader, or another user's terminal. */
function openAnew(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
