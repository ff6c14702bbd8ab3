export { asksForJson } from "./asks-for-json.ts";
export { type Completion, complete } from "./complete.ts";
export { completionScript } from "./completion-script.ts";
export { confirm, confirmOnTerminal } from "./confirm.ts";
export { currentDirectory } from "./current-directory.ts";
export { faultUsage } from "./faults.ts";
export { formatFields } from "./fields.ts";
export { commandHelp, topicHelp } from "./help.ts";
export { filePage, programPage } from "./man-page.ts";
export { onlyArgument } from "./only-argument.ts";
export { faultNotACommand, parseCommandLine } from "./parse-command-line.ts";
export { checkFlags, type RawFlags, takeFlag } from "./parse-flags.ts";
export { printable, printableLines } from "./printable.ts";
export { processOutput, processTerminal } from "./process-terminal.ts";
export {
  allCommands,
  type CommandSpec,
  type FlagDefinition,
  type FlagDefinitions,
  type FlagValues,
  type Program,
  type Topic,
} from "./program.ts";
export { formatCelsius, formatSize } from "./size.ts";
export { formatTable } from "./table.ts";
export type { Output, Terminal } from "./terminal.ts";
