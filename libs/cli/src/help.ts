import {
  allCommands,
  type CommandSpec,
  type Example,
  type FlagDefinition,
  type FlagDefinitions,
  type Program,
} from "./program.ts";

/** The limits of the help's width. */
const MAX_WIDTH = 100;
const MIN_WIDTH = 30;

/** The help of one command: examples first, then its flags. */
export function commandHelp(command: CommandSpec, program: Program, columns: number): string {
  const width = textWidth(columns);
  const usage = [program.name, command.name, "[flags]", command.args ?? ""]
    .filter((part) => part !== "")
    .join(" ");
  const also = command.synonyms?.length
    ? [`Also: ${command.synonyms.map((name) => `${program.name} ${name}`).join(", ")}`]
    : [];
  return [
    wrap(command.summary, width, ""),
    "",
    ...(command.examples.length === 0
      ? []
      : ["EXAMPLES", ...showExamples(command.examples, program, width), ""]),
    "USAGE",
    `  $ ${usage}`,
    ...also.map((line) => `  ${line}`),
    ...section("FLAGS", command.flags, width),
    ...(command.description === undefined ? [] : ["", "DESCRIPTION", wrap(command.description, width, "  ")]),
    ...section("GLOBAL FLAGS", withoutChars(program.globalFlags, command.flags), width),
  ].join("\n");
}

/** The global flags without the letters that the command uses itself. */
function withoutChars(global: FlagDefinitions, own: FlagDefinitions): FlagDefinitions {
  const taken = new Set(Object.values(own).map(({ char }) => char));
  return Object.fromEntries(
    Object.entries(global).map(([name, flag]) => {
      const { char, ...rest } = flag;
      return [name, char === undefined || taken.has(char) ? rest : flag];
    }),
  );
}

/** The help of a topic, or of the whole program. */
export function topicHelp(
  words: readonly string[],
  program: Program,
  columns: number,
  further: readonly Entry[] = [],
): string {
  const width = textWidth(columns);
  const line = [program.name, ...words].join(" ");
  const [first] = words;
  if (first === undefined) {
    const topics = [
      ...program.topics.map(({ name, alias, summary }) => [withAlias(name, alias), summary] as const),
      ...further,
    ];
    return [
      wrap(program.summary, width, ""),
      "",
      "EXAMPLES",
      ...showExamples(program.examples, program, width),
      "",
      "USAGE",
      `  $ ${program.name} [global flags] ${topics.length === 0 ? "" : "TOPIC "}COMMAND [flags]`,
      ...(topics.length === 0 ? [] : ["", "TOPICS", list(topics, width)]),
      "",
      "COMMANDS",
      list(
        program.commands.filter(({ hidden }) => hidden !== true).map(({ name, summary }) => [name, summary]),
        width,
      ),
      ...(program.description === undefined
        ? []
        : ["", "DESCRIPTION", wrap(program.description, width, "  ")]),
      ...section("GLOBAL FLAGS", program.globalFlags, width),
      "",
      wrap(
        topics.length === 0
          ? `${program.name} COMMAND --help explains one.`
          : `${program.name} TOPIC lists the commands of a topic, and ${program.name} TOPIC COMMAND --help explains one.`,
        width,
        "",
      ),
    ].join("\n");
  }
  const topic = program.topics.find(({ name }) => name === first);
  const prefix = words.join(" ");
  const commands = allCommands(program).filter(({ name }) => name.startsWith(`${prefix} `));
  const summary =
    topic?.subtopics?.find(({ name }) => `${first} ${name}` === prefix)?.summary ?? topic?.summary ?? "";
  const [example] = commands.flatMap(({ examples }) => examples);
  return [
    wrap(summary, width, ""),
    "",
    ...(example === undefined
      ? []
      : ["EXAMPLES", ...showExamples([example], program, Number.POSITIVE_INFINITY), ""]),
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

function showExamples(examples: readonly Example[], program: Program, width: number): readonly string[] {
  return examples.flatMap(({ text, line }) => [wrap(text, width, "  "), `    $ ${program.name} ${line}`]);
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
    ...(flag.type === "string" && flag.options !== undefined ? [`one of ${flag.options.join(", ")}`] : []),
    ...(fallback ? [`default ${flag.default}`] : []),
  ];
  return notes.length === 0 ? flag.summary : `${flag.summary} (${notes.join(", ")})`;
}

/** Two columns. On a narrow terminal the text stands below the name. */
function list(entries: readonly Entry[], width: number): string {
  const left = Math.max(...entries.map(([name]) => name.length)) + 4;
  if (width - left < MIN_WIDTH) {
    return entries.map(([name, text]) => `  ${name.trim()}\n${wrap(text, width, "      ")}`).join("\n");
  }
  return entries
    .map(([name, text]) => `  ${name.padEnd(left - 2)}${wrap(text, width, " ".repeat(left)).trimStart()}`)
    .join("\n");
}

function textWidth(columns: number): number {
  return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, columns));
}

/** Breaks text at blanks, each line indented. */
function wrap(text: string, width: number, indent: string): string {
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
