import { processOutput } from "@daos/cli";
import { runCommandLine } from "./run-command-line.ts";

const status = await runCommandLine(process.argv.slice(2), processOutput("daos-server"));
// What failed may have left timers and sockets behind; they end with the process.
if (status.failed) process.exit(status.exitCode);
process.exitCode = status.exitCode;
