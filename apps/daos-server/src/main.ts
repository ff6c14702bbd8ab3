import { processOutput } from "@daos/cli";
import { runCommandLine } from "./run-command-line.ts";

// It belongs to this program only, not to engines and tools.
delete process.env.NODE_COMPILE_CACHE;

// Not `await`: the bundle is CommonJS.
void runCommandLine(process.argv.slice(2), processOutput("daos-server")).then((status) => {
  // A failure may leave timers and sockets open. They end with the process.
  if (status.failed) process.exit(status.exitCode);
  process.exitCode = status.exitCode;
});
