// Measures dmg's run time as ratios to an empty Node.js program in the same run. Ends with 1 when a goal of
// docs/performance.md is missed by more than its noise.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { findNode } from "../../../tools/workspace/find-node.mjs";

const RUNS = 30;
/** So much may the ratio of the CPU time, which depends least on other load, be above the goal. */
const NOISE = 0.5;
const app = fileURLToPath(new URL("..", import.meta.url));
const node = findNode();

const server = spawn(node, [`${app}tools/bench-server.mjs`], { stdio: ["ignore", "pipe", "inherit"] });
const [line] = await once(server.stdout, "data");
/** @type {{ readonly plain: number, readonly secure: number, readonly config: string }} */
const servers = JSON.parse(String(line));

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} command
 * @property {string[]} argv
 * @property {number} [goal] the ratio to the empty program that it may need
 */

/** @type {Case} */
const empty = { name: "node -e 0", command: node, argv: ["-e", "0"] };
const dmg = `${app}bin/dmg`;
const query = ["-i", "-l", `127.0.0.1:${servers.plain}`, "system", "member-query"];
const secureQuery = ["-o", servers.config, "-l", `127.0.0.1:${servers.secure}`, "system", "member-query"];
/** @type {Case[]} */
const cases = [
  empty,
  { name: "dmg version", command: dmg, argv: ["version"], goal: 1.5 },
  { name: "dmg --help", command: dmg, argv: ["--help"], goal: 1.5 },
  { name: "dmg system member-query", command: dmg, argv: query, goal: 2.5 },
  { name: "the same with mTLS, P-256", command: dmg, argv: secureQuery, goal: 3.1 },
];

// With this variable Node.js reads some hundred certificates that dmg does not trust.
delete process.env.NODE_EXTRA_CA_CERTS;

/** @type {Map<Case, number[]>} milliseconds of each run */
const times = new Map(cases.map((entry) => [entry, []]));
/** @type {Map<Case, number>} milliseconds of CPU of all runs */
const cpu = new Map(cases.map((entry) => [entry, 0]));
// Interleaved, so that other load affects all of them equally.
for (let run = 0; run < RUNS; run++) {
  for (const [entry, list] of times) {
    const { name, command, argv } = entry;
    const cpuBefore = childCpuMs();
    const start = process.hrtime.bigint();
    const { status } = spawnSync(command, argv, { stdio: "ignore" });
    list.push(Number(process.hrtime.bigint() - start) / 1e6);
    cpu.set(entry, (cpu.get(entry) ?? 0) + childCpuMs() - cpuBefore);
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
  }
}
server.kill();

/** @param {readonly number[]} list */
const fastest = (list) => Math.min(...list);
/** @param {readonly number[]} list */
const median = (list) => list.toSorted((a, b) => a - b)[RUNS / 2] ?? Number.NaN;
const base = times.get(empty) ?? [];
const load = loadavg().map((value) => value.toFixed(1));
process.stdout.write(`${RUNS} rounds in turns; load ${load.join(" ")}\n`);
process.stdout.write(
  `${"".padEnd(26)}${["fastest", "median", "CPU"].map((title) => title.padStart(16)).join("")}  goal\n`,
);
for (const [entry, list] of times) {
  const { name, goal } = entry;
  const cpuMs = (cpu.get(entry) ?? 0) / RUNS;
  const cpuRatio = (cpu.get(entry) ?? 0) / (cpu.get(empty) ?? Number.NaN);
  const columns = [
    ...[fastest, median].map((figure) => show(figure(list), figure(list) / figure(base))),
    show(cpuMs, cpuRatio),
  ];
  const isMissed = goal !== undefined && cpuRatio > goal + NOISE;
  if (isMissed) process.exitCode = 1;
  const stated = goal === undefined ? "" : `  ${goal}x${isMissed ? " MISSED" : ""}`;
  process.stdout.write(`${name.padEnd(26)}${columns.join("")}${stated}\n`);
}

/**
 * @param {number} ms
 * @param {number} ratio
 */
function show(ms, ratio) {
  return `${ms.toFixed(1)} ms ${ratio.toFixed(2)}x`.padStart(16);
}

/** User and system time of the children that have ended, ms; see proc(5). Linux shows programs 100 ticks a second. */
function childCpuMs() {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(13, 15);
  return (Number(user) + Number(system)) * 10;
}
