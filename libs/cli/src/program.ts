interface FlagBase {
  /** The letter of the short form. */
  readonly char?: string;
  /** One line for the help, in lower case. */
  readonly summary: string;
  /** A flag that excludes this one. */
  readonly excludes?: string;
  /** Accepted, but not shown in the help. */
  readonly hidden?: boolean;
}

/** A flag without a value. */
interface BooleanFlag extends FlagBase {
  readonly type: "boolean";
}

/** A flag with a text. */
export interface StringFlag extends FlagBase {
  readonly type: "string";
  /** The placeholder of the value in the help: `SIZE`. */
  readonly value: string;
  readonly required?: boolean;
  readonly default?: string;
  /** The only texts that are allowed. */
  readonly options?: readonly string[];
  /** The flag may be repeated: the texts are joined with this separator. Of any other flag the last value counts. */
  readonly joins?: string;
  /** The values that completion offers: ranks, hosts or pools of the live system, or files. */
  readonly complete?: "ranks" | "hosts" | "pools" | "files";
}

/** A flag with a whole number. */
interface IntegerFlag extends FlagBase {
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
        ? TextOf<Flags[Name]>
        : TextOf<Flags[Name]> | undefined;
};

type TextOf<Flag> = Flag extends { readonly options: readonly (infer Option)[] } ? Option : string;

export interface Example {
  readonly text: string;
  /** The command line without the program's name. */
  readonly line: string;
}

/** The definition of a command. The parser, the help and completion are made from it. */
export interface CommandSpec<Flags extends FlagDefinitions = FlagDefinitions> {
  /** Its words, `storage query smd`. */
  readonly name: string;
  /** The short form of its last word in release 0.8.0. */
  readonly alias?: string;
  /** Aliases of the command, with the names of later releases of DAOS: `system query`. */
  readonly synonyms?: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** Not shown in the help. */
  readonly hidden?: boolean;
  readonly examples: readonly Example[];
  readonly flags: Flags;
  /** The placeholder of its arguments in the help. Absent when it takes none. */
  readonly args?: string;
}

/** A topic, and its commands. */
export interface Topic<Command extends CommandSpec = CommandSpec> {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** Words with their own commands, as `query` in `storage query smd`. */
  readonly subtopics?: readonly {
    readonly name: string;
    readonly alias?: string;
    readonly summary: string;
  }[];
  readonly commands: readonly Command[];
}

/** A program with its commands and flags. */
export interface Program<Command extends CommandSpec = CommandSpec> {
  /** The first word of its command lines: `dmg`. */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly examples: readonly Example[];
  /** Flags of every command. They may also precede it. One of them is `help`. */
  readonly globalFlags: FlagDefinitions;
  readonly topics: readonly Topic<Command>[];
  /** Commands of one word. */
  readonly commands: readonly Command[];
  /** Commands of other releases that cannot be done here, by their first words, each with the reason and what to do instead. */
  readonly impossible?: Readonly<Record<string, { readonly reason: string; readonly resolution: string }>>;
}

/** Every command of a program. */
export function allCommands<Command extends CommandSpec>(program: Program<Command>): readonly Command[] {
  return [...program.topics.flatMap(({ commands }) => commands), ...program.commands];
}
