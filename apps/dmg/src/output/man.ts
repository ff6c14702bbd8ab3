import { allCommands, type FlagDefinitions, flagUsage, type Program } from "@daos/cli";
import type { AnyCommand } from "../define-command.ts";
import { ExitCode } from "../exit-codes.ts";
import { GLOBAL_FLAGS } from "../global-flags.ts";

/** The meaning of each exit code, for the manual and docs/exit-codes.md. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof ExitCode, string>> = {
  ok: "The whole request has been done.",
  unexpected: "dmg itself failed: its output could not be written, or dmg has a bug.",
  usage:
    "The command line cannot be used: a word, a flag, a host list, a size, a rank set or an ACL. Nothing has been sent.",
  config: "The configuration file or the host file cannot be used. Nothing has been sent.",
  connection: "No host could be reached, or the answer did not come from a DAOS server.",
  certificate: "A certificate is missing or refused, or its role does not permit the request.",
  someHosts: "A part has been done: some hosts, devices or members failed.",
  allHosts: "All hosts failed, for different reasons.",
  refused: "The server or the data plane refused the request or failed.",
  timedOut: "No answer within the deadline. The request may have been carried out.",
  cancelled: "Ctrl-C, or consent was not given.",
};

/** The manual page of dmg in roff: every command with its flags and examples, and the exit codes. */
export function manPage(program: Program<AnyCommand>, version: string): string {
  return `${[
    `.TH DMG 8 "" "dmg ${version}" "DAOS administration"`,
    ".SH NAME",
    "dmg \\- administer a DAOS system from the command line",
    ".SH SYNOPSIS",
    ".B dmg",
    "[global flags] TOPIC COMMAND [flags]",
    ".SH GLOBAL FLAGS",
    "They may stand before, between and after the words of a command.",
    ...flagList(GLOBAL_FLAGS),
    ".SH COMMANDS",
    ...allCommands(program)
      .filter(({ hidden }) => hidden !== true)
      .flatMap(commandSection),
    ".SH EXIT STATUS",
    ...Object.entries(ExitCode).flatMap(([name, code]) => [
      ".TP",
      `.B ${code}`,
      escapeRoff(EXIT_MEANINGS[name as keyof typeof ExitCode]),
    ]),
    ".SH FILES",
    ".TP",
    ".I etc/daos.yml",
    "The client configuration that is read when there is one and no other is named.",
    ".SH SEE ALSO",
    "dmg explain CODE says more about a failure.",
  ].join("\n")}\n`;
}

function commandSection(command: AnyCommand): string[] {
  const also = [...(command.synonyms ?? []).map((name) => `dmg ${name}`)];
  return [
    `.SS ${escapeRoff(["dmg", command.name, command.args ?? ""].join(" ").trim())}`,
    escapeRoff(`${command.summary}.${command.description === undefined ? "" : ` ${command.description}`}`),
    ...(also.length === 0 ? [] : [".PP", escapeRoff(`Also: ${also.join(", ")}`)]),
    ...flagList(command.flags),
    ...command.examples.flatMap(({ text, line }) => [
      ".PP",
      escapeRoff(`${text}:`),
      ".RS",
      ".nf",
      escapeRoff(`dmg ${line}`),
      ".fi",
      ".RE",
    ]),
  ];
}

function flagList(flags: FlagDefinitions): string[] {
  return Object.entries(flags)
    .filter(([, { hidden }]) => hidden !== true)
    .flatMap(([name, flag]) => [
      ".TP",
      `.B ${escapeRoff(flagUsage(name, flag).trim())}`,
      escapeRoff(flag.summary),
    ]);
}

/** Escapes backslashes and dashes, and lines that roff would take for requests. */
function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/, "\\&");
}
