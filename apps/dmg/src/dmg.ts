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
import { pluginFormatter } from "./plugins/plugin-formatter.ts";
import { pluginTopics, runPlugin } from "./plugins/run-plugin.ts";

/**
 * Runs one command line.
 *
 * @param root the directory of dmg's package.json, from which plugins are found
 * @returns how dmg is to exit; it throws nothing
 */
export async function dmg(argv: readonly string[], terminal: Terminal, root: string): Promise<number> {
  let what = "";
  try {
    const line = parseCommandLine(argv[0] === "--version" ? ["version"] : argv, COMMAND_TREE);
    switch (line.kind) {
      case "command": {
        what = line.command.name;
        if (!line.flags.has("help"))
          return await runCommand(line.command, line, terminal, pluginFormatter(root));
        terminal.out(`${commandHelp(line.command, terminal.columns)}\n`);
        return ExitCode.ok;
      }
      case "topic": {
        const more = line.words.length === 0 ? await pluginTopics(root) : [];
        const help = `${topicHelp(line.words, COMMAND_TREE, terminal.columns, more)}\n`;
        if (line.flags.has("help") || line.words.length > 0 || argv.length === 0) terminal.out(help);
        else terminal.err(help);
        return line.flags.has("help") || line.words.length > 0 ? ExitCode.ok : ExitCode.usage;
      }
      case "unknown": {
        const status = await runPlugin(line.argv, root);
        if (status === undefined) throw line.fault;
        return status;
      }
      default:
        return line satisfies never;
    }
  } catch (error) {
    return fail(error, what, argv, terminal);
  }
}

async function fail(
  error: unknown,
  what: string,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const failures = [{ host: undefined, fault: toFault(error) }];
  const answer = { result: null, text: () => "", anyWell: false, failures };
  const json = argv.includes("--json") || argv.some((word) => /^-[a-z]*j/.test(word));
  const status = await print(answer, { terminal, what, format: json ? "json" : "table", quiet: false });
  return error instanceof Fault ? status : ExitCode.unexpected;
}
