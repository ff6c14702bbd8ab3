export { type Answer, wellDone } from "./answer.ts";
export { asksForJson } from "./asks-for-json.ts";
export { type Completion, complete } from "./complete.ts";
export { confirm } from "./confirm.ts";
export type { Connection } from "./connect.ts";
export {
  type AnyCommand,
  type BooleanFlag,
  type CommandContext,
  type CommandDefinition,
  defineCommand,
  type Example,
  type FlagDefinition,
  type FlagDefinitions,
  type FlagValues,
  type IntegerFlag,
  type StringFlag,
  type Topic,
} from "./define-command.ts";
export { ExitCode, exitCodeOf, exitCodeOfAll } from "./exit-codes.ts";
export { faultUsage } from "./faults.ts";
export { GLOBAL_FLAGS, WATCH_FLAG } from "./global-flags.ts";
export type { HostAnswers } from "./host-answer.ts";
export { formatFields } from "./output/fields.ts";
export { groupHosts, type HostGroup } from "./output/group-hosts.ts";
export { commandHelp, flagUsage, topicHelp, wrap } from "./output/help.ts";
export { EXIT_MEANINGS, manPage } from "./output/man.ts";
export { type Formatter, print } from "./output/print.ts";
export type { HostFault } from "./output/show-faults.ts";
export { countOf, formatCelsius, formatSize } from "./output/size.ts";
export { formatTable } from "./output/table.ts";
export {
  allCommands,
  type CommandLine,
  type CommandTree,
  parseCommandLine,
  wordsBelow,
} from "./parse-command-line.ts";
export { faultSize, parseSize } from "./parse-size.ts";
export { parseUuid } from "./parse-uuid.ts";
export { processTerminal } from "./process-terminal.ts";
export { parseDuration, runCommand } from "./run-command.ts";
export type { Terminal } from "./terminal.ts";
