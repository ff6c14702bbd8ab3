import { readFileSync } from "node:fs";

/**
 * How many descriptors this process may have (RLIMIT_NOFILE, soft); undefined where the kernel does not say. Node.js raises
 * it to the hard limit when it starts.
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
