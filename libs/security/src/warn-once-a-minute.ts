import { performance } from "node:perf_hooks";
import type { Fault } from "@daos/fault";
import type { Logger } from "@daos/log";

const MINUTE_MS = 60_000;
/** More kinds of warnings than this are an attempt to fill memory: then counting starts anew. */
const MAX_KEYS = 1000;

/** Warns about the same thing once a minute at most, however often it happens. */
export function warnOnceAMinute(log: Logger): (key: string, fault: Fault) => void {
  const last = new Map<string, number>();
  return (key, fault) => {
    const now = performance.now();
    const before = last.get(key);
    if (before !== undefined && now - before < MINUTE_MS) return;
    if (last.size >= MAX_KEYS) last.clear();
    last.set(key, now);
    log.warn("connection refused", { fault: fault.message, resolution: fault.resolution, code: fault.code });
  };
}
