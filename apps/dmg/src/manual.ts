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
    environment: {
      DMG_CONFIG: "The client configuration, when -o names none.",
      XDG_CONFIG_HOME: "The directory of this user's configurations, ~/.config by default.",
    },
    files: {
      "$XDG_CONFIG_HOME/daos/daos.yml, ~/.daos/daos.yml, /etc/daos/daos.yml":
        "The client configuration, when neither -o nor DMG_CONFIG names one: the first of these that exists. dmg -d shows the file in use.",
      "certs/daosCA.crt, certs/admin.crt, certs/admin.key":
        "In the same three directories: the certificates that the configuration does not name. The first directory with daosCA.crt counts. Without admin.crt, the pair with the name of the user is used.",
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
      "The file is YAML. Every key is optional. Relative paths are relative to the working directory. dmg(8) lists where the file, and the certificates that it does not name, are searched.",
    ],
    seeAlso: "dmg(8), daos_server.yml(5)",
  });
}
