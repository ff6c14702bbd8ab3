import { Fault, toFault } from "@daos/fault";
import { Config, Errors, Help } from "@oclif/core";
import { closest, parseCommandLine } from "./command-line.ts";
import { COMMANDS } from "./commands.ts";
import { bindTerminal } from "./config-terminal.ts";
import { ExitCode } from "./exit-codes.ts";
import { faultUsage } from "./faults.ts";
import { print } from "./output/print.ts";
import type { Terminal } from "./terminal.ts";

/** What dmg needs to know of a command. */
interface CommandClass {
  id: string;
  new (argv: string[], config: Config): { run(): Promise<number> };
}

/**
 * Runs one command line.
 *
 * @param root the directory of dmg's package.json
 * @returns how dmg is to exit
 */
export async function dmg(argv: readonly string[], terminal: Terminal, root: string): Promise<number> {
  try {
    const config = await Config.load({ root });
    bindTerminal(config, terminal);
    const line = parseCommandLine(argv, Object.keys(COMMANDS));
    if (line.kind === "topic" || line.help) {
      const help = new Help(config, config.pjson.oclif.helpOptions);
      const command = line.kind === "command" ? config.findCommand(line.id) : undefined;
      if (command !== undefined) await help.showCommandHelp(command);
      else await help.showHelp(line.kind === "topic" && line.topic !== "" ? [line.topic] : []);
      return line.help ? ExitCode.ok : ExitCode.usage;
    }
    const command: CommandClass = COMMANDS[line.id as keyof typeof COMMANDS];
    command.id = line.id;
    return await new command([...line.argv], config).run();
  } catch (error) {
    return fail(error, argv, terminal);
  }
}

function fail(error: unknown, argv: readonly string[], terminal: Terminal): number {
  const fault = error instanceof Errors.CLIError ? usageFault(error) : toFault(error);
  const answer = {
    result: null,
    text: () => "",
    anyWell: false,
    failures: [{ host: undefined, fault }],
  };
  const json = argv.includes("--json") || argv.some((word) => /^-[a-z]*j/.test(word));
  const status = print(answer, {
    terminal,
    what: argv.filter((word) => !word.startsWith("-")).join(" "),
    json,
    quiet: false,
  });
  return error instanceof Fault || error instanceof Errors.CLIError ? status : ExitCode.unexpected;
}

/** oclif's complaint about flags and arguments, as a fault. */
function usageFault(error: Errors.CLIError): Fault {
  const text = error.message.replace(/\nSee more help with --help$/, "").replace(/\s*\n\s*/g, " ");
  return faultUsage(text, suggestion(error) ?? "see the command's --help", error);
}

function suggestion(error: Errors.CLIError): string | undefined {
  if (!("flags" in error) || !Array.isArray(error.flags) || !("parse" in error)) return undefined;
  const { input } = error.parse as { input?: { flags?: object } };
  for (const flag of error.flags) {
    const near =
      typeof flag === "string"
        ? closest(flag.replace(/^-+/, ""), Object.keys(input?.flags ?? {}))
        : undefined;
    if (near !== undefined) return `did you mean --${near}?`;
  }
  return undefined;
}
