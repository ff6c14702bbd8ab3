import type { ControlClient, HostResult, OnDeviceProgress } from "@daos/control-client";
import type { Fault } from "@daos/fault";
import type { Answer } from "./answer.ts";
import type { Connection, ConnectOptions } from "./connect.ts";
import type { HostAnswers } from "./host-answer.ts";
import type { Terminal } from "./terminal.ts";

interface FlagBase {
  /** The letter of the short form. */
  readonly char?: string;
  /** One line for the help, in lower case. */
  readonly summary: string;
  /** Another flag that must not be given together with this one. */
  readonly excludes?: string;
  /** Accepted, but not in the help. */
  readonly hidden?: boolean;
}

/** A flag without a value. */
export interface BooleanFlag extends FlagBase {
  readonly type: "boolean";
}

/** A flag with a text. */
export interface StringFlag extends FlagBase {
  readonly type: "string";
  /** What stands for the value in the help: `SIZE`. */
  readonly value: string;
  readonly required?: boolean;
  readonly default?: string;
  /** It may be given more than once: the lists become one. Any other flag with a value may not. */
  readonly joins?: boolean;
  /** What completion offers: ranks, hosts or pools of the live system, or files. */
  readonly complete?: "ranks" | "hosts" | "pools" | "files";
}

/** A flag with a whole number. */
export interface IntegerFlag extends FlagBase {
  readonly type: "integer";
  readonly value: string;
  readonly default?: number;
  readonly min: number;
  readonly max: number;
}

export type FlagDefinition = BooleanFlag | StringFlag | IntegerFlag;
export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>;

/** The values of flags: text and numbers are `undefined` when not given, unless required or with a default. */
export type FlagValues<Flags extends FlagDefinitions> = {
  readonly [Name in keyof Flags]: Flags[Name] extends { readonly type: "boolean" }
    ? boolean
    : Flags[Name] extends { readonly type: "integer" }
      ? Flags[Name] extends { readonly default: number }
        ? number
        : number | undefined
      : Flags[Name] extends { readonly required: true } | { readonly default: string }
        ? string
        : string | undefined;
};

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
  /** Says on stderr what there is to know meanwhile; not with `--json` or `--quiet`. */
  readonly note: (text: string) => void;
  /** Waits for one request, and shows that it is under way. */
  readonly waitFor: <T>(work: Promise<T>) => Promise<T>;
}

export interface Example {
  readonly text: string;
  /** The command line without `dmg`. */
  readonly line: string;
}

/** One command of dmg: data for help, completion and manual, and a function from flags to an answer. */
export interface CommandDefinition<Flags extends FlagDefinitions = FlagDefinitions> {
  /** Its words, `storage query smd`. */
  readonly name: string;
  /** The short form of its last word in release 0.8.0. */
  readonly alias?: string;
  /** Other names for the whole of it, as later releases of DAOS have them: `system query`. */
  readonly synonyms?: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** Not in the help. */
  readonly hidden?: boolean;
  readonly examples: readonly Example[];
  readonly flags: Flags;
  /** What stands for its arguments in the help; absent when it takes none. */
  readonly args?: string;
  /** @throws Fault */
  readonly run: (context: CommandContext<Flags>) => Promise<Answer>;
}

/** A command whose flags nobody needs to know any more. */
export type AnyCommand = Omit<CommandDefinition, "run"> & {
  readonly run: (context: CommandContext<never>) => Promise<Answer>;
};

/** A first word, and the commands below it: what a plugin of dmg provides. */
export interface Topic {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** Words below it that have commands of their own, as `query` in `storage query smd`. */
  readonly subtopics?: readonly {
    readonly name: string;
    readonly alias?: string;
    readonly summary: string;
  }[];
  readonly commands: readonly AnyCommand[];
}

/** Types a command by its own flags. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}
