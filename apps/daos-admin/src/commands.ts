import type { Program } from "@daos/cli";
import { doctorCommand } from "./commands/doctor.ts";
import { installCommand } from "./commands/install.ts";
import { serveCommand } from "./commands/serve.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { versionCommand } from "./commands/version.ts";
import type { AdminCommand } from "./define-command.ts";

/** The commands of daos-admin for administrators. daos-server calls it without a command. */
export const DAOS_ADMIN: Program<AdminCommand> = {
  name: "daos-admin",
  summary: "Runs privileged operations for daos-server",
  description:
    "Without a command it expects one request of daos-server on its standard input. Only the installed helper answers requests: its launcher (setuid, or started by systemd) knows the caller.",
  examples: [
    { text: "Install the helper, and check the installation", line: "install && daos-admin doctor" },
  ],
  globalFlags: { help: { type: "boolean", char: "h", summary: "show help" } },
  topics: [],
  commands: [installCommand, uninstallCommand, doctorCommand, serveCommand, versionCommand],
};
