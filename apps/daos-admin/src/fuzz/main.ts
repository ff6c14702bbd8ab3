import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { fuzzProgram } from "./fuzz-program.ts";

// npm run fuzz -w @daos/daos-admin -- --count 1000000 --seconds 600 --seed 1 [--processes 100 [PROGRAM...]]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    processes: { type: "string", default: "0" },
  },
});
const HERE = fileURLToPath(new URL("../../bin/daos-admin", import.meta.url));
const [program = HERE, ...args] = positionals;
const seed = Number(values.seed);
const began = performance.now();
const options = { seed, budgetMs: Number(values.seconds) * 1000, mount: "/daos-fuzz/mnt" };
const [tally, programs] = await Promise.all([
  fuzz({ ...options, count: Number(values.count), uid: process.getuid?.() ?? 0 }),
  fuzzProgram([program, ...args], { ...options, count: Number(values.processes) }),
]);
const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
process.stdout.write(`${JSON.stringify({ seed, seconds, ...tally, processes: programs.requests })}\n`);
