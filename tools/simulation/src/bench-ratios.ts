import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The number of rounds of each measurement. */
export const ROUNDS = 5;

interface Stated {
  readonly ratio: number;
  readonly noise: number;
}

/** The rows of docs/performance.md that end with a ratio and its noise: `| LeaderQuery | ... | 1.6 ± 0.3 |`. */
function statedRatios(): ReadonlyMap<string, Stated> {
  const text = readFileSync(new URL("../../../docs/performance.md", import.meta.url), "utf8");
  const rows = text.matchAll(/^\| ([^|]+?) \|.*\| ([\d.]+) ± ([\d.]+) \|$/gm);
  return new Map(
    [...rows].map(([, name = "", ratio, noise]) => [name, { ratio: Number(ratio), noise: Number(noise) }]),
  );
}

/** A measured ratio compared with the one in docs/performance.md. */
export interface Comparison {
  readonly good: boolean;
  /** `1.6 ± 0.6`, with `MISSED` when the measured ratio is higher; empty without a stated ratio. */
  readonly text: string;
}

/** Compares a measured ratio with the stated one of that name. NaN counts as missed. */
export function compareWithStated(name: string, ratio: number): Comparison {
  const stated = statedRatios().get(name);
  if (stated === undefined) return { good: true, text: "" };
  const good = ratio <= stated.ratio + stated.noise;
  return { good, text: `${stated.ratio} ± ${stated.noise}${good ? "" : " MISSED"}` };
}

/** NaN for no values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The CPU time and memory of an empty Node.js program. */
export interface BareNode {
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

export function bareNode(): BareNode {
  // Not maxRSS: a child begins with that of its parent.
  const script =
    "const { userCPUTime, systemCPUTime } = process.resourceUsage();" +
    "const [, peakKiB] = /VmHWM:\\s+(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'));" +
    "console.log(userCPUTime + systemCPUTime, peakKiB)";
  const runs = Array.from({ length: ROUNDS }, () =>
    execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).split(" ").map(Number),
  );
  return {
    cpuSeconds: median(runs.map(([cpu = Number.NaN]) => cpu / 1e6)),
    peakMiB: median(runs.map(([, peak = Number.NaN]) => peak / 1024)),
  };
}
