import { filePage, programPage } from "@daos/cli";
import { listKeys } from "@daos/config";
import { dmgVersion } from "./commands/version.ts";
import { DMG } from "./commands.ts";
import { ExitCode } from "./exit-codes.ts";

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

/** The manual page dmg(8). */
export function dmgManual(): string {
  return programPage(DMG, {
    version: dmgVersion(),
    exitStatus: Object.entries(ExitCode).map(([name, code]) => [
      code,
      EXIT_MEANINGS[name as keyof typeof ExitCode],
    ]),
    files: {
      "etc/daos.yml": "The client configuration that is read when there is one and no other is named.",
    },
    seeAlso: "daos.yml(5), daos_server(8). dmg explain CODE says more about a failure.",
  });
}

/** The manual page daos.yml(5). */
export function clientFileManual(): string {
  return filePage("daos.yml", listKeys("client"), {
    version: dmgVersion(),
    summary: "configuration of dmg",
    description: [
      "The file is YAML. Every key may be left out. Relative paths are relative to the working directory.",
    ],
    seeAlso: "dmg(8), daos_server.yml(5)",
  });
}
