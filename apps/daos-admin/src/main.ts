import type { Writable } from "node:stream";
import { checkFlags, commandHelp, parseCommandLine, topicHelp } from "@daos/cli";
import { Fault, FaultCode, showResolution } from "@daos/fault";
import { DAOS_ADMIN } from "./commands.ts";
import { refuseRequest } from "./refuse-request.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 0) {
    // Standard output may be closed, as after an invalid request.
    return (await refuseRequest(process.stdin, process.stdout, process.stderr))
      ? 1
      : showHelp(process.stderr);
  }
  const line = parseCommandLine(argv[0] === "--version" ? ["version"] : argv, DAOS_ADMIN);
  switch (line.kind) {
    case "command": {
      const { command, flags } = line;
      if (!flags.has("help")) return command.run(checkFlags(flags, command.flags) as never, say);
      say(commandHelp(command, DAOS_ADMIN, columns()));
      return 0;
    }
    case "topic":
      return showHelp(process.stdout);
    case "unknown":
      throw line.fault;
    default:
      return line satisfies never;
  }
}

function showHelp(output: Writable): number {
  output.write(`${topicHelp([], DAOS_ADMIN, columns())}\n`);
  return 0;
}

function columns(): number {
  return process.stdout.columns ?? Number.POSITIVE_INFINITY;
}

function fail(error: unknown): number {
  if (!(error instanceof Fault)) throw error;
  const usage = error.code === FaultCode.usage;
  const text = usage
    ? `daos-admin: ${error.message}\n  ${error.resolution}`
    : `${error}\n${showResolution(error)}`;
  process.stderr.write(`${text}\n`);
  return usage ? 2 : 1;
}

// Not `await`: the bundle is CommonJS.
void main(process.argv.slice(2))
  .catch(fail)
  .then((exitCode) => {
    process.exitCode = exitCode;
  });
