import { readFileSync } from "node:fs";
import { refuseRequest } from "./refuse-request.ts";
import { USAGE } from "./usage.ts";

/** The release, from the package beside `dist`. */
function release(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const { version } = manifest as { version: string };
  return version;
}

async function main(args: readonly string[]): Promise<number> {
  const [command] = args;
  switch (command) {
    case undefined:
      return (await refuseRequest(process.stdin, process.stdout, process.stderr)) ? 1 : showUsage();
    case "--help":
    case "-h":
    case "help":
      return showUsage();
    case "--version":
    case "version":
      process.stdout.write(`daos-admin ${release()}\n`);
      return 0;
    default:
      process.stderr.write(`daos-admin: there is no command "${command}"; see daos-admin --help\n`);
      return 2;
  }
}

function showUsage(): number {
  process.stdout.write(USAGE);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
