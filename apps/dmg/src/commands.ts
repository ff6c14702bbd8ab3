import type { Program } from "@daos/cli";
import { completeCommand } from "./commands/complete.ts";
import { completionCommand } from "./commands/completion.ts";
import { explainCommand } from "./commands/explain.ts";
import { networkListCommand } from "./commands/network/list.ts";
import { networkScanCommand } from "./commands/network/scan.ts";
import { pluginsInstallCommand } from "./commands/plugins/install.ts";
import { pluginsLinkCommand } from "./commands/plugins/link.ts";
import { pluginsListCommand } from "./commands/plugins/list.ts";
import { pluginsRemoveCommand } from "./commands/plugins/remove.ts";
import { poolCreateCommand } from "./commands/pool/create.ts";
import { poolDeleteAclCommand } from "./commands/pool/delete-acl.ts";
import { poolDestroyCommand } from "./commands/pool/destroy.ts";
import { poolGetAclCommand } from "./commands/pool/get-acl.ts";
import { poolListCommand } from "./commands/pool/list.ts";
import { poolOverwriteAclCommand } from "./commands/pool/overwrite-acl.ts";
import { poolQueryCommand } from "./commands/pool/query.ts";
import { poolUpdateAclCommand } from "./commands/pool/update-acl.ts";
import { serverQueryCommand } from "./commands/server/query.ts";
import { setLogMasksCommand } from "./commands/server/set-logmasks.ts";
import { serverVersionCommand } from "./commands/server-version.ts";
import { storageBurnInCommand } from "./commands/storage/burn-in.ts";
import { storageFormatCommand } from "./commands/storage/format.ts";
import { storagePrepareCommand } from "./commands/storage/prepare.ts";
import { blobstoreHealthCommand } from "./commands/storage/query/blobstore-health.ts";
import { deviceHealthCommand } from "./commands/storage/query/device-health.ts";
import { listDevicePoolsCommand } from "./commands/storage/query/list-device-pools.ts";
import { listDevicesCommand } from "./commands/storage/query/list-devices.ts";
import { nvmeHealthCommand } from "./commands/storage/query/nvme-health.ts";
import { smdCommand } from "./commands/storage/query/smd.ts";
import { usageCommand } from "./commands/storage/query/usage.ts";
import { storageScanCommand } from "./commands/storage/scan.ts";
import { supportCollectLogCommand } from "./commands/support/collect-log.ts";
import { systemClearExcludeCommand } from "./commands/system/clear-exclude.ts";
import { systemEraseCommand } from "./commands/system/erase.ts";
import { systemEventsCommand } from "./commands/system/events.ts";
import { systemExcludeCommand } from "./commands/system/exclude.ts";
import { leaderQueryCommand } from "./commands/system/leader-query.ts";
import { listPoolsCommand } from "./commands/system/list-pools.ts";
import { systemMemberQueryCommand } from "./commands/system/member-query.ts";
import { msStatusCommand } from "./commands/system/ms-status.ts";
import { systemQueryCommand } from "./commands/system/query.ts";
import { systemStartCommand } from "./commands/system/start.ts";
import { systemStopCommand } from "./commands/system/stop.ts";
import { versionCommand } from "./commands/version.ts";
import { webCommand } from "./commands/web.ts";
import type { AnyCommand } from "./define-command.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";
import { LATER_COMMANDS } from "./later-commands.ts";

/** dmg with its own topics and commands. Plugins add more, see `./plugins`. */
export const DMG: Program<AnyCommand> = {
  name: "dmg",
  summary: "Administers a DAOS system from the command line",
  examples: [
    { text: "The storage hardware of the hosts", line: "-l node[1-8] storage scan" },
    { text: "A pool with 10 GB of SCM on every rank", line: "pool create -s 10G" },
  ],
  globalFlags: GLOBAL_FLAGS,
  topics: [
    {
      name: "network",
      alias: "n",
      summary: "Fabric interfaces of the hosts",
      commands: [networkScanCommand, networkListCommand],
    },
    {
      name: "pool",
      alias: "p",
      summary: "Pools and their access control lists",
      commands: [
        poolCreateCommand,
        poolDestroyCommand,
        poolListCommand,
        poolQueryCommand,
        poolGetAclCommand,
        poolOverwriteAclCommand,
        poolUpdateAclCommand,
        poolDeleteAclCommand,
      ],
    },
    {
      name: "server",
      summary: "The control plane of the hosts itself",
      commands: [serverQueryCommand, setLogMasksCommand],
    },
    {
      name: "storage",
      alias: "st",
      summary: "Storage hardware of the hosts",
      subtopics: [{ name: "query", alias: "q", summary: "Health, metadata and use of storage" }],
      commands: [
        storageScanCommand,
        storagePrepareCommand,
        storageFormatCommand,
        storageBurnInCommand,
        nvmeHealthCommand,
        deviceHealthCommand,
        listDevicesCommand,
        listDevicePoolsCommand,
        blobstoreHealthCommand,
        smdCommand,
        usageCommand,
      ],
    },
    {
      name: "system",
      alias: "sy",
      summary: "The system as a whole and its management service",
      commands: [
        systemQueryCommand,
        systemMemberQueryCommand,
        leaderQueryCommand,
        msStatusCommand,
        listPoolsCommand,
        systemStopCommand,
        systemStartCommand,
        systemExcludeCommand,
        systemClearExcludeCommand,
        systemEraseCommand,
        systemEventsCommand,
      ],
    },
    {
      name: "support",
      summary: "Data of a system for support",
      commands: [supportCollectLogCommand],
    },
    {
      name: "plugins",
      summary: "Topics of third parties",
      commands: [pluginsListCommand, pluginsLinkCommand, pluginsInstallCommand, pluginsRemoveCommand],
    },
  ],
  commands: [
    completeCommand(() => DMG),
    completionCommand,
    explainCommand,
    versionCommand,
    serverVersionCommand,
    webCommand,
  ],
  impossible: LATER_COMMANDS,
};
