import {
  asksForJson,
  commandHelp,
  faultNotACommand,
  parseCommandLine,
  type Terminal,
  topicHelp,
} from "@daos/cli";
import { Fault, toFault } from "@daos/fault";
import { DMG } from "./commands.ts";
import { ExitCode } from "./exit-codes.ts";
import { print } from "./output/print.ts";
import { pluginFormatter } from "./plugins/plugin-formatter.ts";
import { pluginTopics, runPlugin } from "./plugins/run-plugin.ts";
import { runCommand } from "./run-command.ts";

/**
 * Runs one command line. It throws nothing.
 *
 * @param root the directory of dmg's package.json, where plugins are searched
 * @returns the exit code
 */
export async function dmg(argv: readonly string[], terminal: Terminal, root: string): Promise<number> {
  let what = "";
  try {
    const line = parseCommandLine(argv[0] === "--version" ? ["version"] : argv, DMG);
    switch (line.kind) {
      case "command": {
        what = line.command.name;
        if (!line.flags.has("help"))
          return await runCommand(line.command, line, terminal, root, pluginFormatter(root));
        terminal.out(`${commandHelp(line.command, DMG, terminal.columns)}\n`);
        return ExitCode.ok;
      }
      case "topic": {
        if (!line.flags.has("help") && asksForJson(argv, DMG)) throw faultNotACommand(line.words, DMG);
        const more = line.words.length === 0 ? await pluginTopics(root) : [];
        const help = `${topicHelp(line.words, DMG, terminal.columns, more)}\n`;
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
  const answer = { result: null, text: () => "", anySucceeded: false, failures };
  const format = asksForJson(argv, DMG) ? "json" : "table";
  const status = await print(answer, { terminal, what, format, quiet: false });
  return error instanceof Fault ? status : ExitCode.unexpected;
}
