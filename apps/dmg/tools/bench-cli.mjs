// Measures dmg's run time as ratios to an empty Node.js program in the same run. Goals: docs/performance.md.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { findNode } from "../../../tools/workspace/find-node.mjs";

const RUNS = 30;
const app = fileURLToPath(new URL("..", import.meta.url));
const node = findNode();

const server = spawn(node, [`${app}tools/bench-server.mjs`], { stdio: ["ignore", "pipe", "inherit"] });
const [port] = await once(server.stdout, "data");
const host = `127.0.0.1:${String(port).trim()}`;

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
const query = ["-i", "-l", host, "system", "member-query"];
/** @type {Case[]} */
const cases = [
  empty,
  { name: "dmg version", command: dmg, argv: ["version"], goal: 2.0 },
  { name: "dmg --help", command: dmg, argv: ["--help"], goal: 2.0 },
  { name: "dmg system member-query", command: dmg, argv: query, goal: 3.5 },
];

/** @type {Map<Case, number[]>} milliseconds of each run */
const times = new Map(cases.map((entry) => [entry, []]));
// Interleaved, so that other load affects all of them equally.
for (let run = 0; run < RUNS; run++) {
  for (const [{ name, command, argv }, list] of times) {
    const start = process.hrtime.bigint();
    const { status } = spawnSync(command, argv, { stdio: "ignore" });
    list.push(Number(process.hrtime.bigint() - start) / 1e6);
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
  }
}
server.kill();

/** @param {readonly number[]} list */
const fastest = (list) => Math.min(...list);
/** @param {readonly number[]} list */
const median = (list) => list.toSorted((a, b) => a - b)[RUNS / 2] ?? Number.NaN;
const base = times.get(empty) ?? [];
process.stdout.write(
  `${"".padEnd(26)}${"fastest".padStart(16)}${"median".padStart(16)}${"goal".padStart(8)}\n`,
);
for (const [{ name, goal }, list] of times) {
  const columns = [fastest, median].map((figure) => {
    const ms = figure(list);
    return `${ms.toFixed(1)} ms ${(ms / figure(base)).toFixed(2)}x`.padStart(16);
  });
  process.stdout.write(
    `${name.padEnd(26)}${columns.join("")}${(goal === undefined ? "" : `${goal}x`).padStart(8)}\n`,
  );
}
