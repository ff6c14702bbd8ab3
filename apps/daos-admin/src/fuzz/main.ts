import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";

// npm run fuzz -w @daos/daos-admin -- --count 1000000 --seconds 600 --seed 1
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
const began = performance.now();
const tally = await fuzz({
  count: Number(values.count),
  seed,
  budgetMs: Number(values.seconds) * 1000,
  mount: "/daos-fuzz/mnt",
  uid: process.getuid?.() ?? 0,
});
const seconds = ((performance.now() - began) / 1000).toFixed(1);
process.stdout.write(`${JSON.stringify({ seed, seconds: Number(seconds), ...tally })}\n`);
