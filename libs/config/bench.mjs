// npm run bench -w @daos/config: measures what the largest sample takes to load, in CPU time: another load on the machine changes that little.
import { readFileSync } from "node:fs";
import { checkServerConfig } from "./dist/index.js";

const LIMIT_MS = 20;
const ROUNDS = 200;

const template = readFileSync(new URL("./fixtures/daos_server.yml", import.meta.url), "utf8");
const text = template.replace(/^#/gm, "");

/** Milliseconds of CPU of each round; the first is cold. */
const times = Array.from({ length: ROUNDS }, () => {
  const start = process.cpuUsage();
  const { config } = checkServerConfig(text, { path: "daos_server.yml", cwd: "/" });
  if (config === undefined) throw new Error("the sample must load");
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
});

const [first = Number.NaN, ...rest] = times;
const sorted = rest.toSorted((a, b) => a - b);
const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
const worst = sorted.at(-1) ?? Number.NaN;
process.stdout.write(
  `${text.length} characters: first ${first.toFixed(1)} ms, then median ${median.toFixed(2)} ms, worst ${worst.toFixed(2)} ms of CPU, ${ROUNDS} rounds\n`,
);
if (median >= LIMIT_MS) {
  process.stderr.write(`the median is not below ${LIMIT_MS} ms\n`);
  process.exitCode = 1;
}
