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

const cases = [
  ["node -e 0", [node, "-e", "0"]],
  ["dmg version", [`${app}bin/dmg`, "version"], 2.0],
  ["dmg --help", [`${app}bin/dmg`, "--help"], 2.0],
  ["dmg system member-query", [`${app}bin/dmg`, "-i", "-l", host, "system", "member-query"], 3.5],
];

const times = cases.map(() => []);
// Interleaved, so that other load affects all of them equally.
for (let run = 0; run < RUNS; run++) {
  for (const [at, [name, [command, ...argv]]] of cases.entries()) {
    const start = process.hrtime.bigint();
    const { status } = spawnSync(command, argv, { stdio: "ignore" });
    times[at].push(Number(process.hrtime.bigint() - start) / 1e6);
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
  }
}
server.kill();

const sorted = times.map((list) => list.sort((a, b) => a - b));
const base = sorted[0];
process.stdout.write(
  `${"".padEnd(26)}${"fastest".padStart(16)}${"median".padStart(16)}${"goal".padStart(8)}\n`,
);
for (const [at, [name, , goal]] of cases.entries()) {
  const columns = [0, RUNS / 2].map((index) => {
    const ms = sorted[at][index];
    return `${ms.toFixed(1)} ms ${(ms / base[index]).toFixed(2)}x`.padStart(16);
  });
  process.stdout.write(
    `${name.padEnd(26)}${columns.join("")}${(goal === undefined ? "" : `${goal}x`).padStart(8)}\n`,
  );
}
