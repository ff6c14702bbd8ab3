import type { CommandTree } from "@daos/dmg-kit";
import { networkTopic } from "@daos/dmg-network";
import { poolTopic } from "@daos/dmg-pool";
import { serverTopic } from "@daos/dmg-server";
import { storageTopic } from "@daos/dmg-storage";
import { systemTopic } from "@daos/dmg-system";
import { completeCommand, completionCommand } from "./completion.ts";
import { explainCommand } from "./explain.ts";
import { pluginsTopic } from "./plugins/topic.ts";
import { versionCommand } from "./version.ts";

/** The topics and commands that dmg brings along; plugins add theirs, see `./plugins`. */
export const COMMAND_TREE: CommandTree = {
  topics: [networkTopic, poolTopic, serverTopic, storageTopic, systemTopic, pluginsTopic],
  commands: [completeCommand(() => COMMAND_TREE), completionCommand, explainCommand, versionCommand],
};
