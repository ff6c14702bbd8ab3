import type { CommandSpec, FlagDefinitions, FlagValues } from "@daos/cli";

/** Prints a line on stdout. */
type Say = (line: string) => void;

/** One command of daos-admin. */
export interface CommandDefinition<Flags extends FlagDefinitions> extends CommandSpec<Flags> {
  /** @returns the exit code @throws Fault */
  readonly run: (flags: FlagValues<Flags>, say: Say) => Promise<number>;
}

/** A command of daos-admin without the type of its flags. */
export interface AdminCommand extends CommandSpec {
  readonly run: (flags: never, say: Say) => Promise<number>;
}

/** Infers the type of a command from its flags. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}
