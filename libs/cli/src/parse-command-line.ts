import { Fault, FaultCode } from "@daos/fault";
import { closest } from "@daos/suggest";
import { checkArguments } from "./check-arguments.ts";
import { faultUsage } from "./faults.ts";
import { type RawFlags, takeFlag } from "./parse-flags.ts";
import { allCommands, type CommandSpec, type Program } from "./program.ts";

/** The request of a command line. */
export type CommandLine<Command extends CommandSpec = CommandSpec> =
  | {
      readonly kind: "command";
      readonly command: Command;
      readonly flags: RawFlags;
      readonly args: readonly string[];
    }
  /** A topic without a command, or no words at all. */
  | { readonly kind: "topic"; readonly words: readonly string[]; readonly flags: RawFlags }
  /** An unknown first word, perhaps of a plugin. The flags before it are moved to the end of `argv`. */
  | { readonly kind: "unknown"; readonly argv: readonly string[]; readonly fault: Error };

interface Word {
  readonly name: string;
  readonly alias?: string | undefined;
  readonly hidden?: boolean;
}

/**
 * Finds the command by its words or by an alias, and reads the flags: global flags before, between and after the words,
 * the command's flags after them. After the words, a letter of the command overrides a global one. A negative number is
 * an argument if the command takes arguments: no flag is a digit.
 *
 * @throws Fault usage for an argument that is not UTF-8, and, with a suggestion, for an unknown word or flag;
 *   commandUnsupported for one of {@link Program.impossible}
 */
export function parseCommandLine<Command extends CommandSpec>(
  argv: readonly string[],
  program: Program<Command>,
): CommandLine<Command> {
  checkArguments(argv);
  const { globalFlags } = program;
  const flags: RawFlags = new Map();
  const rest = [...argv];
  const words: string[] = [];
  let command: Command | undefined;
  const args: string[] = [];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (token === "--") {
      args.push(...rest.splice(0));
    } else if (/^-./s.test(token) && !(command?.args !== undefined && /^-\d+$/.test(token))) {
      takeFlag(token, rest, command === undefined ? [globalFlags] : [command.flags, globalFlags], flags);
    } else if (command !== undefined) {
      args.push(token);
    } else if (token === "help" && words.length === 0) {
      flags.set("help", true);
    } else {
      const below = wordsBelow(words, program);
      const found = below.find(({ name, alias }) => name === token || alias === token);
      if (found === undefined) {
        const fault =
          impossible([...words, token], program) ?? unknownWord([program.name, ...words], token, below);
        if (words.length === 0) {
          const leading = argv.slice(0, argv.length - rest.length - 1);
          return { kind: "unknown", argv: [token, ...rest, ...leading], fault };
        }
        throw fault;
      }
      words.push(found.name);
      command = findCommand(words, program);
    }
  }
  if (command === undefined) return { kind: "topic", words, flags };
  if (args.length > 0 && command.args === undefined && !flags.has("help")) {
    throw faultUsage(
      `${program.name} ${command.name} takes no arguments: ${args.join(" ")}`,
      `${program.name} ${command.name} --help shows its flags`,
    );
  }
  return { kind: "command", command, flags, args };
}

function findCommand<Command extends CommandSpec>(
  words: readonly string[],
  program: Program<Command>,
): Command | undefined {
  const name = words.join(" ");
  return allCommands(program).find((command) => command.name === name || command.synonyms?.includes(name));
}

/** The words that may follow `words`. */
export function wordsBelow(words: readonly string[], program: Program): readonly Word[] {
  const [first] = words;
  if (first === undefined) return [...program.topics, ...program.commands];
  const topic = program.topics.find(({ name }) => name === first);
  const prefix = `${words.join(" ")} `;
  const found = new Map<string, Word>();
  for (const { name, alias, synonyms = [] } of topic?.commands ?? []) {
    for (const full of [name, ...synonyms]) {
      if (!full.startsWith(prefix)) continue;
      const [word = "", ...further] = full.slice(prefix.length).split(" ");
      const leaf = further.length === 0 && full === name ? alias : undefined;
      const subtopic = topic?.subtopics?.find((one) => `${first} ${one.name}` === `${prefix}${word}`);
      if (!found.has(word)) found.set(word, { name: word, alias: leaf ?? subtopic?.alias });
    }
  }
  return [...found.values()];
}

/** The fault of an incomplete command with `--json`, which must not be answered with help. */
export function faultNotACommand(words: readonly string[], program: Program): Fault {
  const before = [program.name, ...words].join(" ");
  const names = wordsBelow(words, program).filter(({ hidden }) => hidden !== true);
  const what = words.length === 0 ? "no command is named" : `"${before}" is not a complete command`;
  const below = names.map(({ name }) => name).sort();
  return faultUsage(what, `commands: ${before} ${below.join(" | ")}`);
}

/** The fault of a known command that is not possible here. */
function impossible(words: readonly string[], { name, impossible: known = {} }: Program): Fault | undefined {
  const command = words.join(" ");
  if (!Object.hasOwn(known, command)) return undefined;
  const { reason = "", resolution = "" } = known[command] ?? {};
  return new Fault({
    domain: "client",
    code: FaultCode.commandUnsupported,
    description: `"${name} ${command}" cannot be done`,
    reason,
    resolution,
  });
}

function unknownWord(words: readonly string[], word: string, below: readonly Word[]): Error {
  const before = words.join(" ");
  const names = below.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const near = closest(word, names);
  return faultUsage(
    `there is no command "${before} ${word}"`,
    near === undefined
      ? `known commands: ${before} ${names.sort().join(" | ")}`
      : `did you mean "${before} ${near}"?`,
  );
}
