import type { CommandSpec, FlagDefinitions, FlagValues } from "@daos/cli";
import type { Fault } from "@daos/fault";
import type { GlobalValues } from "./global-flags.ts";

/** The result of a command, before it is printed. */
export interface Answer {
  /** The document of `--json`. */
  readonly result: object;
  /** The same for people. */
  readonly lines: readonly string[];
  /** Lines for stderr, also with `--json`. */
  readonly notes?: readonly string[];
  /** What failed although there is a result. */
  readonly fault?: Fault | undefined;
  /** Where it is not 0 although nothing failed. */
  readonly exitCode?: number;
}

/** What a command has at hand while it runs. */
export interface CommandContext<Flags extends FlagDefinitions> {
  readonly flags: FlagValues<Flags> & GlobalValues;
  /** What stands after the flags; empty unless the command takes arguments. */
  readonly args: readonly string[];
}

/** One command of daos-server. */
export interface CommandDefinition<Flags extends FlagDefinitions = FlagDefinitions>
  extends CommandSpec<Flags> {
  /** @returns what is to be printed, if anything @throws Fault */
  readonly run: (context: CommandContext<Flags>) => Promise<Answer | undefined>;
}

/** A command whose flags are no longer of interest. */
export interface ServerCommand extends CommandSpec {
  readonly run: (context: CommandContext<never>) => Promise<Answer | undefined>;
}

/** Types a command by its own flags. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}
