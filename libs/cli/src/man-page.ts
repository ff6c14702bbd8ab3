import { flagUsage } from "./help.ts";
import { allCommands, type CommandSpec, type FlagDefinitions, type Program } from "./program.ts";

/** The further sections of a manual page. */
interface PageOptions {
  readonly version: string;
  /** The purpose of each file. */
  readonly files?: Readonly<Record<string, string>>;
  /** Other pages and commands, one line of text. */
  readonly seeAlso: string;
}

/** The sections of a program's page besides its commands. */
interface ProgramPageOptions extends PageOptions {
  /** The name of the page, when it is not that of the program. */
  readonly page?: string;
  /** The meaning of each exit code. */
  readonly exitStatus: readonly (readonly [code: number, meaning: string])[];
  /** The effect of each environment variable that the program reads. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One key of a configuration file. */
interface FileKey {
  /** With its section: `servers[].scm_class`. */
  readonly key: string;
  readonly description: string;
  readonly allowed: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** The sections of a configuration file's page besides its keys. */
interface FilePageOptions extends PageOptions {
  readonly summary: string;
  /** The paragraphs before the keys. */
  readonly description: readonly string[];
}

/** The manual page of a program in roff: every command with its flags and examples, and the exit codes. Section 8. */
export function programPage(program: Program, options: ProgramPageOptions): string {
  const { page = program.name, exitStatus, environment = {}, version, files = {}, seeAlso } = options;
  const names = [...new Set([page, program.name])].join(", ");
  const topic = program.topics.length === 0 ? "" : "TOPIC ";
  return render([
    `.TH ${page.toUpperCase()} 8 "" "${program.name} ${version}" "DAOS administration"`,
    ".SH NAME",
    `${escapeRoff(names)} \\- ${escapeRoff(program.summary.replace(/^./, (letter) => letter.toLowerCase()))}`,
    ".SH SYNOPSIS",
    `.B ${escapeRoff(program.name)}`,
    `[global flags] ${topic}COMMAND [flags]`,
    ...(program.description === undefined ? [] : [".SH DESCRIPTION", escapeRoff(program.description)]),
    ".SH GLOBAL FLAGS",
    "They may stand before, between and after the words of a command.",
    ...flagList(program.globalFlags),
    ".SH COMMANDS",
    ...allCommands(program)
      .filter(({ hidden }) => hidden !== true)
      .flatMap((command) => commandSection(command, program.name)),
    ".SH EXIT STATUS",
    ...exitStatus.flatMap(([code, meaning]) => term("B", `${code}`, meaning)),
    ...section("ENVIRONMENT", "B", environment),
    ...section("FILES", "I", files),
    ".SH SEE ALSO",
    escapeRoff(seeAlso),
  ]);
}

/** The manual page of a configuration file in roff: every key, in the order of the file. Section 5. */
export function filePage(name: string, keys: readonly FileKey[], options: FilePageOptions): string {
  const { summary, description, version, files = {}, seeAlso } = options;
  return render([
    `.TH ${name.toUpperCase()} 5 "" "DAOS control plane ${version}" "DAOS configuration"`,
    ".SH NAME",
    `${escapeRoff(name)} \\- ${escapeRoff(summary)}`,
    ".SH DESCRIPTION",
    ...description.flatMap((paragraph) => [".PP", escapeRoff(paragraph)]),
    ".SH KEYS",
    ...keys.flatMap(keyEntry),
    ...section("FILES", "I", files),
    ".SH SEE ALSO",
    escapeRoff(seeAlso),
  ]);
}

function keyEntry({ key, description, allowed, examples = [], ...rest }: FileKey): string[] {
  const facts = [
    `Allowed: ${allowed}.`,
    ...(rest.default === undefined ? [] : [`Default: ${showValue(rest.default)}.`]),
    ...examples.map((example) => `Example: ${key.slice(key.lastIndexOf(".") + 1)}: ${showValue(example)}`),
  ];
  return [...term("B", key, description), ...facts.flatMap((fact) => [".br", escapeRoff(fact)])];
}

function showValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", ");
}

function section(title: string, font: "B" | "I", entries: Readonly<Record<string, string>>): string[] {
  const list = Object.entries(entries);
  return list.length === 0 ? [] : [`.SH ${title}`, ...list.flatMap(([name, text]) => term(font, name, text))];
}

function commandSection(command: CommandSpec, program: string): string[] {
  const also = (command.synonyms ?? []).map((name) => `${program} ${name}`);
  return [
    `.SS ${escapeRoff([program, command.name, command.args ?? ""].join(" ").trim())}`,
    escapeRoff(`${command.summary}.${command.description === undefined ? "" : ` ${command.description}`}`),
    ...(also.length === 0 ? [] : [".PP", escapeRoff(`Also: ${also.join(", ")}`)]),
    ...flagList(command.flags),
    ...command.examples.flatMap(({ text, line }) => [
      ".PP",
      escapeRoff(`${text}:`),
      ".RS",
      ".nf",
      escapeRoff(`${program} ${line}`),
      ".fi",
      ".RE",
    ]),
  ];
}

function flagList(flags: FlagDefinitions): string[] {
  return Object.entries(flags)
    .filter(([, { hidden }]) => hidden !== true)
    .flatMap(([name, flag]) => term("B", flagUsage(name, flag).trim(), flag.summary));
}

function term(font: "B" | "I", name: string, text: string): string[] {
  return [".TP", `.${font} ${escapeRoff(name)}`, escapeRoff(text)];
}

function render(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** Escapes backslashes and dashes, and lines that roff would take for requests. */
function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/, "\\&");
}
