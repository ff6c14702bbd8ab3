// The interface for plugins of dmg: see docs/dmg.md.
export { confirm, faultUsage, formatFields, formatTable } from "@daos/cli";
export { type Answer, success } from "./answer.ts";
export {
  type CommandContext,
  type CommandDefinition,
  type DmgTopic,
  defineCommand,
} from "./define-command.ts";
export { oclifCommands } from "./oclif.ts";
export { groupHosts } from "./output/group-hosts.ts";
