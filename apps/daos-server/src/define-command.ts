import type { CommandSpec, FlagDefinitions, FlagValues } from "@daos/cli";
import type { Fault } from "@daos/fault";
import type { GlobalValues } from "./global-flags.ts";

/** The result of a command, before it is printed. */
export interface Answer {
  /** The `--json` document. */
  readonly result: object;
  /** The same result as text. */
  readonly lines: readonly string[];
  /** Lines for stderr, also with `--json`. */
  readonly notes?: readonly string[];
  /** A failure that leaves a result. */
  readonly fault?: Fault | undefined;
  /** By default 0, or 1 after a failure. */
  readonly exitCode?: number | undefined;
}

/** The services of a running command. */
export interface CommandContext<Flags extends FlagDefinitions> {
  readonly flags: FlagValues<Flags> & GlobalValues;
  /** The arguments after the flags; empty unless the command takes arguments. */
  readonly args: readonly string[];
}

/** One command of daos-server. */
export interface CommandDefinition<Flags extends FlagDefinitions = FlagDefinitions>
  extends CommandSpec<Flags> {
  /** @returns the output, if any @throws Fault */
  readonly run: (context: CommandContext<Flags>) => Promise<Answer | undefined>;
}

/** A command without the type of its flags. */
export interface ServerCommand extends CommandSpec {
  readonly run: (context: CommandContext<never>) => Promise<Answer | undefined>;
}

/** Infers the type of a command from its flags. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}
