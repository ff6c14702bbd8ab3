import { readFileSync } from "node:fs";

/** The times of proc(5) are in ticks. On Linux a tick is 10 ms for programs. */
const TICKS_PER_SECOND = 100;

/** The user and system time of a process, seconds. */
export function cpuSeconds(pid: number): number {
  const { utime, stime } = timesOf(`${pid}`);
  return (utime + stime) / TICKS_PER_SECOND;
}

/** User and system time of the children of this process that have ended, seconds. */
export function childCpuSeconds(): number {
  const { cutime, cstime } = timesOf("self");
  return (cutime + cstime) / TICKS_PER_SECOND;
}

function timesOf(process: string) {
  const stat = readFileSync(`/proc/${process}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
  return { utime, stime, cutime, cstime };
}
