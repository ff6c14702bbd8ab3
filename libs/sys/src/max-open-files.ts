import { readFileSync } from "node:fs";

/**
 * The maximum number of descriptors of this process (RLIMIT_NOFILE, soft); undefined when the kernel does not report
 * it. Node.js raises it to the hard limit when it starts.
 *
 * @see proc_pid_limits(5)
 */
export function maxOpenFiles(): number | undefined {
  try {
    return parseMaxOpenFiles(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    return undefined;
  }
}

/** Reads a line such as `Max open files            1024                 524288               files`. */
export function parseMaxOpenFiles(limits: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  return soft === undefined || soft === "unlimited" ? undefined : Number(soft);
}
