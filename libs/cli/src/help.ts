import type { AnyCommand, FlagDefinition, FlagDefinitions } from "../define-command.ts";
import { GLOBAL_FLAGS } from "../global-flags.ts";
import { allCommands, type CommandTree } from "../parse-command-line.ts";

/** Help is never wider than this, and never narrower than what makes sense. */
const WIDEST = 100;
const NARROWEST = 30;

/** The help of one command: examples first, then its flags. */
export function commandHelp(command: AnyCommand, columns: number): string {
  const width = textWidth(columns);
  const usage = ["dmg", command.name, "[flags]", command.args ?? ""].filter((part) => part !== "").join(" ");
  const also = command.synonyms?.length
    ? [`Also: ${command.synonyms.map((name) => `dmg ${name}`).join(", ")}`]
    : [];
  return [
    wrap(command.summary, width, ""),
    "",
    "EXAMPLES",
    ...command.examples.flatMap(({ text, line }) => [wrap(text, width, "  "), `    $ dmg ${line}`]),
    "",
    "USAGE",
    `  $ ${usage}`,
    ...also.map((line) => `  ${line}`),
    ...section("FLAGS", command.flags, width),
    ...(command.description === undefined ? [] : ["", "DESCRIPTION", wrap(command.description, width, "  ")]),
    ...section("GLOBAL FLAGS", withoutChars(command.flags), width),
  ].join("\n");
}

/** The global flags without the letters that a command uses for its own. */
function withoutChars(own: FlagDefinitions): FlagDefinitions {
  const taken = new Set(Object.values(own).map(({ char }) => char));
  return Object.fromEntries(
    Object.entries(GLOBAL_FLAGS).map(([name, flag]: [string, FlagDefinition]) => {
      const { char, ...rest } = flag;
      return [name, char === undefined || taken.has(char) ? rest : flag];
    }),
  );
}

/** The help of a word with commands below it, or of dmg as a whole. */
export function topicHelp(
  words: readonly string[],
  tree: CommandTree,
  columns: number,
  further: readonly Entry[] = [],
): string {
  const width = textWidth(columns);
  const line = ["dmg", ...words].join(" ");
  const [first] = words;
  if (first === undefined) {
    const topics = [
      ...tree.topics.map(({ name, alias, summary }) => [withAlias(name, alias), summary] as const),
      ...further,
    ];
    return [
      wrap("Administers a DAOS system from the command line", width, ""),
      "",
      "EXAMPLES",
      "  What the hosts have",
      "    $ dmg -l node[1-8] storage scan",
      "  A pool with 10 GB of SCM on every rank",
      "    $ dmg pool create -s 10G",
      "",
      "USAGE",
      "  $ dmg [global flags] TOPIC COMMAND [flags]",
      "",
      "TOPICS",
      list(topics, width),
      "",
      "COMMANDS",
      list(
        tree.commands.filter(({ hidden }) => hidden !== true).map(({ name, summary }) => [name, summary]),
        width,
      ),
      ...section("GLOBAL FLAGS", GLOBAL_FLAGS, width),
      "",
      wrap("dmg TOPIC lists the commands of a topic, and dmg TOPIC COMMAND --help explains one.", width, ""),
    ].join("\n");
  }
  const topic = tree.topics.find(({ name }) => name === first);
  const prefix = words.join(" ");
  const commands = allCommands(tree).filter(({ name }) => name.startsWith(`${prefix} `));
  const summary =
    topic?.subtopics?.find(({ name }) => `${first} ${name}` === prefix)?.summary ?? topic?.summary ?? "";
  const [example] = commands.flatMap(({ examples }) => examples);
  return [
    wrap(summary, width, ""),
    "",
    ...(example === undefined ? [] : ["EXAMPLES", `  ${example.text}`, `    $ dmg ${example.line}`, ""]),
    "USAGE",
    `  $ ${line} COMMAND [flags]`,
    "",
    "COMMANDS",
    list(
      commands.map(({ name, alias, summary }) => [withAlias(name, alias), summary]),
      width,
    ),
  ].join("\n");
}

type Entry = readonly [name: string, text: string];

function withAlias(name: string, alias: string | undefined): string {
  return alias === undefined ? name : `${name} (${alias})`;
}

function section(title: string, flags: FlagDefinitions, width: number): string[] {
  const shown = Object.entries(flags).filter(([, { hidden }]) => hidden !== true);
  if (shown.length === 0) return [];
  return [
    "",
    title,
    list(
      shown.map(([name, flag]) => [flagUsage(name, flag), flagText(flag)]),
      width,
    ),
  ];
}

/** `-s, --scm-size SIZE`. */
export function flagUsage(name: string, flag: FlagDefinition): string {
  const value = flag.type === "boolean" ? "" : ` ${flag.value}`;
  return `${flag.char === undefined ? "    " : `-${flag.char}, `}--${name}${value}`;
}

function flagText(flag: FlagDefinition): string {
  const fallback =
    flag.type !== "boolean" && flag.default !== undefined && flag.default !== "" && flag.default !== 0;
  const notes = [
    ...(flag.type === "string" && flag.required ? ["required"] : []),
    ...(fallback ? [`default ${flag.default}`] : []),
  ];
  return notes.length === 0 ? flag.summary : `${flag.summary} (${notes.join(", ")})`;
}

/** Two columns, or where that is too narrow the text below the name. */
function list(entries: readonly Entry[], width: number): string {
  const left = Math.max(...entries.map(([name]) => name.length)) + 4;
  if (width - left < NARROWEST) {
    return entries.map(([name, text]) => `  ${name.trim()}\n${wrap(text, width, "      ")}`).join("\n");
  }
  return entries
    .map(([name, text]) => `  ${name.padEnd(left - 2)}${wrap(text, width, " ".repeat(left)).trimStart()}`)
    .join("\n");
}

function textWidth(columns: number): number {
  return Math.max(NARROWEST, Math.min(WIDEST, columns));
}

/** Breaks text at blanks, each line indented. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    if (line.length > indent.length && line.length + word.length + 1 > width) {
      lines.push(line);
      line = indent;
    }
    line += line.length === indent.length ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}
