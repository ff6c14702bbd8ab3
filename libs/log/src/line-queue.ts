/** How a queue writes, and its limits. */
export interface LineQueueOptions {
  /**
   * Writes as much as can be written without waiting.
   *
   * @returns how many bytes were taken; 0 when the other side has no room now
   * @throws the error that prevents writing, as on a full disk
   */
  readonly write: (bytes: Uint8Array) => number;
  /**
   * Formats the line, without its line feed, that reports the number of dropped lines. It is written when there is room
   * again.
   */
  readonly droppedLine: (lines: number) => string;
  /** Called once when writing starts to fail; again only after it has succeeded. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Maximum number of waiting bytes; 1 MiB by default. Further lines are dropped. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds, monotonic. */
  readonly now?: (() => number) | undefined;
}

/** Lines on their way to a file, a pipe or a terminal. */
export interface LineQueue {
  /** Writes a line if possible; otherwise queues it, or drops and counts it. Never throws. */
  push(line: string): void;
  /** Tries to write the waiting lines. */
  flush(): LineQueueState;
}

/** `empty`: all is written. `blocked`: the other side has no room. `failed`: writing throws. */
type LineQueueState = "empty" | "blocked" | "failed";

const MAX_BYTES = 1024 * 1024;
/** Time between two attempts to write while something waits, ms. */
const RETRY_MS = 250;

/**
 * Keeps logging from blocking and from using unbounded memory. With a full disk or a stopped reader, lines fill a bounded
 * buffer; further lines are dropped and counted. A timer repeats the attempts and does not keep the process alive.
 */
export function createLineQueue(options: LineQueueOptions): LineQueue {
  const { write, droppedLine, onError, maxBytes = MAX_BYTES, now = () => performance.now() } = options;
  let waiting: Buffer[] = [];
  let bytes = 0;
  let dropped = 0;
  let state: LineQueueState = "empty";
  let triedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const add = (line: string) => {
    const buffer = Buffer.from(`${line}\n`);
    waiting.push(buffer);
    bytes += buffer.length;
  };

  /** Lines are written together: while something waits, one attempt is one call. */
  const writeAll = (): LineQueueState => {
    try {
      while (bytes > 0) {
        const all = waiting.length === 1 ? (waiting[0] as Buffer) : Buffer.concat(waiting);
        const taken = write(all);
        waiting = taken === all.length ? [] : [all.subarray(taken)];
        bytes -= taken;
        if (taken === 0) return "blocked";
        if (bytes === 0 && dropped > 0) {
          add(droppedLine(dropped));
          dropped = 0;
        }
      }
      return "empty";
    } catch (error) {
      if (state !== "failed") onError?.(error);
      return "failed";
    }
  };

  const flush = (): LineQueueState => {
    state = writeAll();
    triedAt = now();
    clearTimeout(timer);
    timer = state === "empty" ? undefined : setTimeout(flush, RETRY_MS).unref();
    return state;
  };

  return {
    push(line) {
      // The number of dropped lines is reported before later lines are accepted.
      if (dropped > 0 || (bytes > 0 && bytes + Buffer.byteLength(line) + 1 > maxBytes)) dropped += 1;
      else add(line);
      if (state === "empty" || now() - triedAt >= RETRY_MS) flush();
    },
    flush,
  };
}
