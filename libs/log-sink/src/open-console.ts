import { constants, fstatSync, openSync, writeSync } from "node:fs";

const STDERR = 2;

/** Writes as much as there is room for, and returns how many bytes that was. @throws when it cannot be written at all */
type Write = (bytes: Uint8Array) => number;

/**
 * A way to write to standard error, or another descriptor, that never waits for who reads it: a pipe whose reader has
 * stopped, a terminal that is held by Ctrl-S, a journal that hangs.
 *
 * Pipes and terminals are opened anew: O_NONBLOCK belongs to the open file, which this process shares with others. Sockets
 * cannot be opened anew; Node's own stream sets O_NONBLOCK for them.
 */
export function openConsole(fd: number): Write {
  const stat = fstatSync(fd);
  // A look at the stream is what opens it.
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

/** Undefined for what cannot be opened: a pipe without a reader, or another user's. */
function openAnew(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
