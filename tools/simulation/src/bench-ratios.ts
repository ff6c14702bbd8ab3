import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Rounds of each measurement. */
export const ROUNDS = 5;

interface Stated {
  readonly ratio: number;
  readonly noise: number;
}

/** The rows of docs/performance.md that end with a ratio and its noise, as in `| LeaderQuery | ... | 1.6 ± 0.3 |`. */
function statedRatios(): ReadonlyMap<string, Stated> {
  const text = readFileSync(new URL("../../../docs/performance.md", import.meta.url), "utf8");
  const rows = text.matchAll(/^\| ([^|]+?) \|.*\| ([\d.]+) ± ([\d.]+) \|$/gm);
  return new Map(
    [...rows].map(([, name = "", ratio, noise]) => [name, { ratio: Number(ratio), noise: Number(noise) }]),
  );
}

/** A ratio beside what docs/performance.md states of it. */
export interface Judged {
  readonly good: boolean;
  /** `1.6 ± 0.6`, with `MISSED` when it is above; empty when nothing is stated. */
  readonly text: string;
}

/** Compares a measured ratio with the stated one of that name. One that cannot be measured is missed. */
export function judge(name: string, ratio: number): Judged {
  const stated = statedRatios().get(name);
  if (stated === undefined) return { good: true, text: "" };
  const good = ratio <= stated.ratio + stated.noise;
  return { good, text: `${stated.ratio} ± ${stated.noise}${good ? "" : " MISSED"}` };
}

/** NaN for no values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What a Node.js that does nothing needs. */
export interface BareNode {
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

export function bareNode(): BareNode {
  const script =
    "const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); console.log(userCPUTime + systemCPUTime, maxRSS)";
  const runs = Array.from({ length: ROUNDS }, () =>
    execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).split(" ").map(Number),
  );
  return {
    cpuSeconds: median(runs.map(([cpu = Number.NaN]) => cpu / 1e6)),
    peakMiB: median(runs.map(([, peak = Number.NaN]) => peak / 1024)),
  };
}
