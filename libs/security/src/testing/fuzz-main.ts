// npm run fuzz -w @daos/security [-- INPUTS [SEED]]
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";

/** A good client must be answered within this time, whatever else happens. */
const LIMIT_MS = 100;

const { positionals } = parseArgs({ allowPositionals: true });
const [inputs = "10000", seed = "1"] = positionals;
const result = await fuzz({ inputs: Number(inputs), seed: Number(seed) });
process.stdout.write(`${JSON.stringify(result)}\n`);
if (result.slowestGoodCallMs > LIMIT_MS) {
  process.stderr.write(
    `a good client waited ${Math.round(result.slowestGoodCallMs)} ms, more than ${LIMIT_MS} ms\n`,
  );
  process.exitCode = 1;
}
