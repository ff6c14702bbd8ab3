/** Limits for a stream of lines. */
export interface OutputLimits {
  /** Lines per second, 200 by default; a burst may have ten times as many. */
  readonly linesPerSecond?: number | undefined;
  /** Bytes per second, 64 KiB by default; a burst may have ten times as many. */
  readonly bytesPerSecond?: number | undefined;
  /** Maximum length of a line in bytes, 4 KiB by default. The rest is cut off. */
  readonly maxLineBytes?: number | undefined;
}

export interface OutputLimiterOptions extends OutputLimits {
  /** Called with each line that passes, without its line feed. */
  readonly write: (line: string) => void;
  /** Called at most once a second, and at the end, with the number of lines dropped since the last call. */
  readonly onDropped: (dropped: { readonly lines: number; readonly bytes: number }) => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Splits output into lines and limits their rate. */
export interface OutputLimiter {
  push(chunk: Uint8Array): void;
  /** Ends the output: passes on an unfinished line and the number of dropped lines. */
  end(): void;
}

const LINE_FEED = 0x0a;
const BURST_SECONDS = 10;
const REPORT_MS = 1_000;

/**
 * Splits the output of a process into lines and drops whole lines beyond a rate, so that a process that floods its output
 * fills neither memory nor the log. It buffers at most one unfinished line, cut to `maxLineBytes`.
 */
export function createOutputLimiter(options: OutputLimiterOptions): OutputLimiter {
  const { linesPerSecond = 200, bytesPerSecond = 64 * 1024, maxLineBytes = 4 * 1024 } = options;
  const { write, onDropped, now = () => performance.now() } = options;

  let lineTokens = linesPerSecond * BURST_SECONDS;
  let byteTokens = bytesPerSecond * BURST_SECONDS;
  let refilled = now();
  let dropped = { lines: 0, bytes: 0 };
  let report: NodeJS.Timeout | undefined;
  /** The start of an unfinished line, and its length so far. */
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
