import type { CommandSpec, FlagDefinitions, FlagValues, Terminal, Topic } from "@daos/cli";
import type { ControlClient, HostResult, OnDeviceProgress } from "@daos/control-client";
import type { Fault } from "@daos/fault";
import type { Answer } from "./answer.ts";
import type { Connection, ConnectOptions } from "./connect.ts";
import type { HostAnswers } from "./host-answer.ts";

/** What a command has at hand while it runs. */
export interface CommandContext<Flags extends FlagDefinitions> {
  readonly flags: FlagValues<Flags>;
  /** What stands after the flags; empty unless the command takes arguments. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Makes the client that the global flags and the configuration ask for; `instead` wins over the flags. @throws Fault */
  readonly connect: (instead?: Partial<ConnectOptions>) => Promise<Connection>;
  /**
   * Waits for the answers of all hosts, and shows how far they are.
   *
   * @param results what comes back; as a function it gets what takes the progress of single devices
   */
  readonly collect: <T>(
    client: ControlClient,
    results: AsyncIterable<HostResult<T>> | ((onProgress: OnDeviceProgress) => AsyncIterable<HostResult<T>>),
    partFaults?: (value: T) => readonly Fault[],
  ) => Promise<HostAnswers<T>>;
  /** Prints a piece of data at once: its text, or with `--json` the piece as one line. */
  readonly emit: (piece: object, text: string) => void;
  /** Prints a note on stderr at once; not with `--json` or `--quiet`. */
  readonly note: (text: string) => void;
  /** Waits for one request, and shows that it is under way. */
  readonly waitFor: <T>(work: Promise<T>) => Promise<T>;
}

/** One command of dmg: its words and flags, and a function from flags to an answer. */
export interface CommandDefinition<Flags extends FlagDefinitions = FlagDefinitions>
  extends CommandSpec<Flags> {
  /** @throws Fault */
  readonly run: (context: CommandContext<Flags>) => Promise<Answer>;
}

/** A command whose flags are no longer of interest. */
export interface AnyCommand extends CommandSpec {
  readonly run: (context: CommandContext<never>) => Promise<Answer>;
}

/** What a plugin of dmg provides: a first word, and the commands below it. */
export type DmgTopic = Topic<AnyCommand>;

/** Types a command by its own flags. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}
