import {
  commandHelp,
  ExitCode,
  parseCommandLine,
  print,
  runCommand,
  type Terminal,
  topicHelp,
} from "@daos/dmg-kit";
import { Fault, toFault } from "@daos/fault";
import { COMMAND_TREE } from "./command-tree.ts";

/** Runs one command line. @returns how dmg is to exit; it throws nothing */
export async function dmg(argv: readonly string[], terminal: Terminal): Promise<number> {
  let what = "";
  try {
    const line = parseCommandLine(argv[0] === "--version" ? ["version"] : argv, COMMAND_TREE);
    switch (line.kind) {
      case "command": {
        what = line.command.name;
        if (!line.flags.has("help")) return await runCommand(line.command, line, terminal);
        terminal.out(`${commandHelp(line.command, terminal.columns)}\n`);
        return ExitCode.ok;
      }
      case "topic": {
        const help = `${topicHelp(line.words, COMMAND_TREE, terminal.columns)}\n`;
        if (line.flags.has("help") || line.words.length > 0 || argv.length === 0) terminal.out(help);
        else terminal.err(help);
        return line.flags.has("help") || line.words.length > 0 ? ExitCode.ok : ExitCode.usage;
      }
      case "unknown":
        throw line.fault;
      default:
        return line satisfies never;
    }
  } catch (error) {
    return fail(error, what, argv, terminal);
  }
}

function fail(error: unknown, what: string, argv: readonly string[], terminal: Terminal): number {
  const failures = [{ host: undefined, fault: toFault(error) }];
  const answer = { result: null, text: () => "", anyWell: false, failures };
  const json = argv.includes("--json") || argv.some((word) => /^-[a-z]*j/.test(word));
  const status = print(answer, { terminal, what, json, quiet: false });
  return error instanceof Fault ? status : ExitCode.unexpected;
}
