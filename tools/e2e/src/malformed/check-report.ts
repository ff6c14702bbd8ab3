import type { GoodFigures } from "./good-clients.ts";
import type { HelperTally } from "./helper-attack.ts";
import type { ServerSample } from "./watch-server.ts";

/** The measurements of a server under attack. */
export interface MalformedReport {
  readonly seed: number;
  readonly seconds: number;
  readonly inputs: { readonly drpc: number; readonly grpc: number };
  readonly helper: HelperTally;
  readonly good: GoodFigures;
  readonly before: ServerSample;
  /** After the attack, when the server was idle. */
  readonly after: ServerSample;
  readonly rss: RssFigures;
  readonly loggedBytes: number;
  /** The exit code of the stopped server. */
  readonly exitCode: number;
}

/** The resident memory of the server, bytes. */
export interface RssFigures {
  /** After a minute of attack; undefined for a shorter attack. */
  readonly afterMinute: number | undefined;
  readonly atEnd: number;
}

/** The maximum growth of memory since a minute after the start. */
const MAX_RSS_RATIO = 1.3;
/** The number of timers that may exist temporarily. */
const FLEETING_TIMERS = 4;
/** The longest time of a good call on a busy machine, ms. */
const MAX_CALL_MS = 30_000;
const MAX_LOG_BYTES_A_MINUTE = 1024 * 1024;

/** The problems in a report. An empty list means success. */
export function checkReport(report: MalformedReport): readonly string[] {
  const { before, after, rss, good, seconds, loggedBytes, exitCode } = report;
  const problems: string[] = [];
  const ratio = rss.afterMinute === undefined ? 1 : rss.atEnd / rss.afterMinute;
  if (ratio > MAX_RSS_RATIO) problems.push(`memory has grown to ${ratio.toFixed(2)} times what it was`);
  if (after.descriptors > before.descriptors)
    problems.push(`${after.descriptors - before.descriptors} descriptors are left`);
  const timers = (after.resources.Timeout ?? 0) - (before.resources.Timeout ?? 0);
  if (timers > FLEETING_TIMERS) problems.push(`${timers} timers are left`);
  const known = new Set(before.files);
  const files = after.files.filter((name) => !known.has(name));
  if (files.length > 0) problems.push(`files are left: ${files.slice(0, 10).join(", ")}`);
  const slowest = Math.max(good.slowestCallMs, good.slowestEngineCallMs);
  if (slowest > MAX_CALL_MS) problems.push(`a good call took ${Math.round(slowest)} ms`);
  if (loggedBytes > MAX_LOG_BYTES_A_MINUTE * Math.max(1, seconds / 60))
    problems.push(`the log has grown by ${loggedBytes} bytes`);
  if (exitCode !== 0) problems.push(`the server ended with ${exitCode}`);
  return problems;
}
