import { PoolCreateCommand } from "./pool/create.ts";
import { PoolDestroyCommand } from "./pool/destroy.ts";
import { StorageFormatCommand } from "./storage/format.ts";
import { StorageScanCommand } from "./storage/scan.ts";
import { LeaderQueryCommand } from "./system/leader-query.ts";
import { ListPoolsCommand } from "./system/list-pools.ts";
import { SystemMemberQueryCommand } from "./system/member-query.ts";
import { VersionCommand } from "./version.ts";

/** Every command by its words. oclif reads this map; see `oclif.commands` in package.json. */
export const COMMANDS = {
  "pool:create": PoolCreateCommand,
  "pool:destroy": PoolDestroyCommand,
  "storage:format": StorageFormatCommand,
  "storage:scan": StorageScanCommand,
  "system:leader-query": LeaderQueryCommand,
  "system:list-pools": ListPoolsCommand,
  "system:member-query": SystemMemberQueryCommand,
  version: VersionCommand,
};
