import { processOutput } from "@daos/cli";
import { runCommandLine } from "./run-command-line.ts";

// bin/daos-server sets it for this program only, not for engines and tools.
delete process.env.MALLOC_ARENA_MAX;

// Not `await`: the bundle is CommonJS.
void runCommandLine(process.argv.slice(2), processOutput("daos-server")).then((status) => {
  // A failure may leave timers and sockets open. They end with the process.
  if (status.failed) process.exit(status.exitCode);
  process.exitCode = status.exitCode;
});
