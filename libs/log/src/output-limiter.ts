/** How much of a stream of lines may pass. */
export interface OutputLimits {
  /** Lines a second, 200 by default; ten times as many at once after a quiet time. */
  readonly linesPerSecond?: number | undefined;
  /** Bytes a second, 64 KiB by default; ten times as many at once after a quiet time. */
  readonly bytesPerSecond?: number | undefined;
  /** The rest of a longer line is cut off; 4 KiB by default. */
  readonly maxLineBytes?: number | undefined;
}

export interface OutputLimiterOptions extends OutputLimits {
  /** Takes each line that passes, without its line feed. */
  readonly write: (line: string) => void;
  /** Told once a second at most, and at the end, what did not pass since the last time. */
  readonly onDropped: (dropped: { readonly lines: number; readonly bytes: number }) => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Cuts output into lines and lets so many pass. */
export interface OutputLimiter {
  push(chunk: Uint8Array): void;
  /** The output has ended: passes on an unfinished line and what was dropped. */
  end(): void;
}

const LINE_FEED = 0x0a;
const BURST_SECONDS = 10;
const REPORT_MS = 1_000;

/**
 * Splits the output of a process into lines and drops whole lines beyond a rate, so that a process that floods its output
 * costs neither memory nor a full log. It holds one unfinished line at most, cut to `maxLineBytes`.
 */
export function createOutputLimiter(options: OutputLimiterOptions): OutputLimiter {
  const { linesPerSecond = 200, bytesPerSecond = 64 * 1024, maxLineBytes = 4 * 1024 } = options;
  const { write, onDropped, now = () => performance.now() } = options;

  let lineTokens = linesPerSecond * BURST_SECONDS;
  let byteTokens = bytesPerSecond * BURST_SECONDS;
  let refilled = now();
  let dropped = { lines: 0, bytes: 0 };
  let report: NodeJS.Timeout | undefined;
  /** The beginning of a line whose end has not come, and how long it is by now. */
  let partial: Buffer[] = [];
  let partialKept = 0;
  let partialLength = 0;

  const refill = () => {
    const time = now();
    const seconds = Math.max(0, time - refilled) / 1_000;
    refilled = time;
    lineTokens = Math.min(linesPerSecond * BURST_SECONDS, lineTokens + seconds * linesPerSecond);
    byteTokens = Math.min(bytesPerSecond * BURST_SECONDS, byteTokens + seconds * bytesPerSecond);
  };

  const reportDropped = () => {
    clearTimeout(report);
    report = undefined;
    if (dropped.lines === 0) return;
    const what = dropped;
    dropped = { lines: 0, bytes: 0 };
    onDropped(what);
  };

  const take = (line: Buffer, length: number) => {
    const cost = Math.min(length, maxLineBytes);
    if (lineTokens < 1 || byteTokens < cost) {
      dropped = { lines: dropped.lines + 1, bytes: dropped.bytes + length + 1 };
      report ??= setTimeout(reportDropped, REPORT_MS).unref();
      return;
    }
    lineTokens -= 1;
    byteTokens -= cost;
    const text = line.toString("utf8", 0, Math.min(line.length, maxLineBytes)).replace(/\r$/, "");
    write(length > maxLineBytes ? `${text} ... (${length - maxLineBytes} more bytes)` : text);
  };

  const keep = (bytes: Buffer) => {
    partialLength += bytes.length;
    const room = maxLineBytes - partialKept;
    if (room <= 0 || bytes.length === 0) return;
    // A copy: a view would keep the whole chunk in memory.
    const kept = Buffer.from(bytes.subarray(0, room));
    partial.push(kept);
    partialKept += kept.length;
  };

  const finishPartial = () => {
    const line = Buffer.concat(partial);
    const length = partialLength;
    partial = [];
    partialKept = 0;
    partialLength = 0;
    take(line, length);
  };

  return {
    push(chunk) {
      refill();
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let start = 0;
      for (;;) {
        const end = bytes.indexOf(LINE_FEED, start);
        if (end === -1) break;
        if (partialLength > 0) {
          keep(bytes.subarray(start, end));
          finishPartial();
        } else {
          take(bytes.subarray(start, end), end - start);
        }
        start = end + 1;
      }
      if (start < bytes.length) keep(bytes.subarray(start));
    },
    end() {
      refill();
      if (partialLength > 0) finishPartial();
      reportDropped();
    },
  };
}
