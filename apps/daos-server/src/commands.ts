import type { Program } from "@daos/cli";
import { certInitCommand } from "./commands/cert/init.ts";
import { certIssueCommand } from "./commands/cert/issue.ts";
import { certRenewCommand } from "./commands/cert/renew.ts";
import { certRequestCommand } from "./commands/cert/request.ts";
import { certRevokeCommand } from "./commands/cert/revoke.ts";
import { certSignCommand } from "./commands/cert/sign.ts";
import { certStatusCommand } from "./commands/cert/status.ts";
import { completeCommand } from "./commands/complete.ts";
import { completionCommand } from "./commands/completion.ts";
import { configCheckCommand } from "./commands/config/check.ts";
import { configExplainCommand } from "./commands/config/explain.ts";
import { configGenerateCommand } from "./commands/config/generate.ts";
import { configSchemaCommand } from "./commands/config/schema.ts";
import { explainCommand } from "./commands/explain.ts";
import { membersAcceptCommand } from "./commands/members/accept.ts";
import { membersCheckCommand } from "./commands/members/check.ts";
import { membersExportCommand } from "./commands/members/export.ts";
import { membersImportCommand } from "./commands/members/import.ts";
import { membersMoveCommand } from "./commands/members/move.ts";
import { membersRepairCommand } from "./commands/members/repair.ts";
import { membersRestoreCommand } from "./commands/members/restore.ts";
import { networkListCommand } from "./commands/network/list.ts";
import { networkScanCommand } from "./commands/network/scan.ts";
import { startCommand } from "./commands/start.ts";
import { storagePrepareCommand } from "./commands/storage/prepare.ts";
import { storageScanCommand } from "./commands/storage/scan.ts";
import { supportCollectLogCommand } from "./commands/support/collect-log.ts";
import { versionCommand } from "./commands/version.ts";
import type { ServerCommand } from "./define-command.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";

/** daos-server and all its commands. */
export const DAOS_SERVER: Program<ServerCommand> = {
  name: "daos-server",
  summary: "Runs the control plane and the engines of one host, and prepares the host for them",
  examples: [
    { text: "A configuration for this machine", line: "config generate > daos_server.yml" },
    { text: "Start the control plane and the engines", line: "start -o daos_server.yml" },
  ],
  globalFlags: GLOBAL_FLAGS,
  topics: [
    {
      name: "cert",
      summary: "Make, renew and examine the certificates of a system",
      commands: [
        certInitCommand,
        certIssueCommand,
        certRequestCommand,
        certSignCommand,
        certRenewCommand,
        certRevokeCommand,
        certStatusCommand,
      ],
    },
    {
      name: "config",
      summary: "Make, check and explain configurations",
      commands: [configCheckCommand, configExplainCommand, configGenerateCommand, configSchemaCommand],
    },
    {
      name: "members",
      summary: "Check, repair, move, export and restore the members of a system",
      commands: [
        membersAcceptCommand,
        membersCheckCommand,
        membersExportCommand,
        membersImportCommand,
        membersMoveCommand,
        membersRepairCommand,
        membersRestoreCommand,
      ],
    },
    {
      name: "network",
      summary: "Show fabric interfaces and providers",
      commands: [networkListCommand, networkScanCommand],
    },
    {
      name: "storage",
      summary: "Show and prepare the storage of this host; dmg formats it",
      commands: [storagePrepareCommand, storageScanCommand],
    },
    {
      name: "support",
      summary: "Collect data for support",
      commands: [supportCollectLogCommand],
    },
  ],
  commands: [
    startCommand,
    completeCommand(() => DAOS_SERVER),
    completionCommand,
    explainCommand,
    versionCommand,
  ],
};
