import { performance } from "node:perf_hooks";
import { type Fault, FaultCode } from "@daos/fault";
import type { Logger } from "@daos/log";

const MINUTE_MS = 60_000;
/**
 * Maximum number of lines a minute in all: a client with many addresses, or with invented calls, must not fill the log.
 */
const MAX_LINES = 100;

/** @param key identifies the event, such as an address and a code @returns whether it is logged */
type Warn = (key: string, fault: Fault, fields?: Readonly<Record<string, string>>) => boolean;

/**
 * Warns about each event at most once a minute, and at most 100 times a minute in all. Dropped lines are counted, and
 * the count is logged with the next line.
 */
export function warnOnceAMinute(log: Logger, now: () => number = () => performance.now()): Warn {
  const said = new Set<string>();
  let begun = Number.NEGATIVE_INFINITY;
  let repeated = 0;
  return (key, fault, fields = {}) => {
    if (now() - begun >= MINUTE_MS) {
      said.clear();
      begun = now();
    }
    if (said.has(key) || said.size >= MAX_LINES) {
      repeated++;
      return false;
    }
    said.add(key);
    const what = fault.code === FaultCode.notAuthorized ? "call refused" : "connection refused";
    const { message, resolution, code } = fault;
    log.warn(what, {
      fault: message,
      resolution,
      code,
      ...fields,
      ...(repeated === 0 ? {} : { notLogged: repeated }),
    });
    repeated = 0;
    return true;
  };
}
