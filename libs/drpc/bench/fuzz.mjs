// The malformed-packet test with 100,000 packets, or the number in the first argument.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const config = join(root, "../../tools/workspace/vitest.config.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", "--config", config, "malformed"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, DRPC_FUZZ_RUNS: process.argv[2] ?? "100000" },
});
process.exit(status ?? 1);
