import { fileURLToPath } from "node:url";
import {
  allCommands,
  type FlagDefinition,
  type FlagDefinitions,
  type Program,
  processTerminal,
  type RawFlags,
  takeFlag,
} from "@daos/cli";
import { Command, Flags } from "@oclif/core";
import type { AnyCommand, DmgTopic } from "./define-command.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";
import { runCommand } from "./run-command.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The commands of dmg or of a plugin's topic, for oclif's `explicit` strategy: classes by id. */
export function oclifCommands(of: DmgTopic | Program<AnyCommand>): Readonly<Record<string, typeof Command>> {
  return Object.fromEntries(
    ("topics" in of ? allCommands(of) : of.commands).map((command) => [
      command.name.replaceAll(" ", ":"),
      oclifCommand(command),
    ]),
  );
}

/** A command of dmg as an oclif class, for other oclif programs and for oclif's own tools. */
function oclifCommand(command: AnyCommand): typeof Command {
  return class extends Command {
    static override readonly id = command.name.replaceAll(" ", ":");
    static override readonly aliases = (command.synonyms ?? []).map((name) => name.replaceAll(" ", ":"));
    static override readonly summary = command.summary;
    static override readonly description = command.description;
    static override readonly examples = command.examples.map(({ text, line }) => ({
      description: text,
      command: `<%= config.bin %> ${line}`,
    }));
    static override readonly flags = oclifFlags({ ...GLOBAL_FLAGS, ...command.flags });
    static override readonly strict = command.args === undefined;

    override async run(): Promise<void> {
      const flags: RawFlags = new Map();
      const rest = [...this.argv];
      const args: string[] = [];
      for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
        if (token.startsWith("-") && token !== "-")
          takeFlag(token, rest, [command.flags, GLOBAL_FLAGS], flags);
        else args.push(token);
      }
      this.parsed = true;
      process.exitCode = await runCommand(command, { flags, args }, processTerminal("dmg"), ROOT);
    }
  };
}

function oclifFlags(definitions: FlagDefinitions): (typeof Command)["flags"] {
  const taken = new Set<string>();
  const entries = Object.entries(definitions).reverse();
  const flags = entries.map(([name, flag]) => {
    const free = flag.char !== undefined && !taken.has(flag.char);
    if (free) taken.add(flag.char);
    return [name, oclifFlag(flag, free)] as const;
  });
  return Object.fromEntries(flags.reverse());
}

function oclifFlag(flag: FlagDefinition, withChar: boolean) {
  const common = {
    summary: flag.summary,
    hidden: flag.hidden ?? false,
    ...(withChar ? { char: flag.char as "a" } : {}),
  };
  switch (flag.type) {
    case "boolean":
      return Flags.boolean(common);
    case "string":
      return Flags.string({ ...common, helpValue: flag.value, required: flag.required ?? false });
    case "integer":
      return Flags.integer({ ...common, helpValue: flag.value, min: flag.min, max: flag.max });
    default:
      return flag satisfies never;
  }
}
