import { processOutput } from "@daos/cli";
import { runCommandLine } from "./run-command-line.ts";

// It is of this program alone: engines and tools do without.
delete process.env.NODE_COMPILE_CACHE;

// Not `await`: the bundle is CommonJS.
void runCommandLine(process.argv.slice(2), processOutput("daos-server")).then((status) => {
  // What failed may have left timers and sockets behind; they end with the process.
  if (status.failed) process.exit(status.exitCode);
  process.exitCode = status.exitCode;
});
