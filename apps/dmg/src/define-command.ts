import type { CommandSpec, FlagDefinitions, FlagValues, Terminal, Topic } from "@daos/cli";
import type { ControlClient, HostResult, OnDeviceProgress } from "@daos/control-client";
import type { Fault } from "@daos/fault";
import type { Answer } from "./answer.ts";
import type { Connection, ConnectOptions } from "./connect.ts";
import type { HostAnswers } from "./host-answer.ts";

/** The services of a running command. */
export interface CommandContext<Flags extends FlagDefinitions> {
  readonly flags: FlagValues<Flags>;
  /** The words after the flags. Empty unless the command takes arguments. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Makes a client from the global flags and the configuration. `instead` overrides the flags. @throws Fault */
  readonly connect: (instead?: Partial<ConnectOptions>) => Promise<Connection>;
  /**
   * Waits for the answers of all hosts, and shows the progress.
   *
   * @param results the answers. A function gets a callback for the progress of single devices
   */
  readonly collect: <T>(
    client: ControlClient,
    results: AsyncIterable<HostResult<T>> | ((onProgress: OnDeviceProgress) => AsyncIterable<HostResult<T>>),
    partFaults?: (value: T) => readonly Fault[],
  ) => Promise<HostAnswers<T>>;
  /** The directory of dmg's package.json. */
  readonly root: string;
  /** The dmg command line for the same system: `dmg -i -l node[1-8]`. */
  readonly calledAs: string;
  /** Prints a piece of data at once: as text, or with `--json` as one line of JSON. */
  readonly emit: (piece: object, text: string) => void;
  /** Prints a note on stderr at once. It prints nothing with `--json` or `--quiet`. */
  readonly note: (text: string) => void;
  /** Waits for one request, and shows that it is in progress. */
  readonly waitFor: <T>(work: Promise<T>) => Promise<T>;
}

/** A command of dmg: its words and flags, and a function from flags to an answer. */
export interface CommandDefinition<Flags extends FlagDefinitions = FlagDefinitions>
  extends CommandSpec<Flags> {
  /** @throws Fault */
  readonly run: (context: CommandContext<Flags>) => Promise<Answer>;
}

/** A command without the type of its flags. */
export interface AnyCommand extends CommandSpec {
  readonly run: (context: CommandContext<never>) => Promise<Answer>;
}

/** A plugin of dmg: a topic and its commands. */
export type DmgTopic = Topic<AnyCommand>;

/** Infers the type of a command from its flags. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}
