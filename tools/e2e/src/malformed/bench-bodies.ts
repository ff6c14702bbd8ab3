// npm run bench:bodies [-- CONNECTIONS]
import { unfinishedBodies } from "./unfinished-bodies.ts";

/** The limits in docs/reliability.md. */
const MAX_MIB = 300;
const MAX_SLOWDOWN_MS = 200;

const result = await unfinishedBodies(Number(process.argv[2] ?? "512"));
process.stdout.write(`${JSON.stringify(result)}\n`);
if (result.mostMiB > MAX_MIB || result.loadedMs - result.quietMs > MAX_SLOWDOWN_MS) process.exitCode = 1;
