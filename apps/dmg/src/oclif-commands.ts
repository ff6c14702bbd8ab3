import { oclifCommand } from "@daos/dmg-kit/oclif";
import { COMMAND_TREE } from "./command-tree.ts";

/** dmg's own commands of one word as oclif loads them; its topics are plugins. */
export const COMMANDS = Object.fromEntries(
  COMMAND_TREE.commands.map((command) => [command.name, oclifCommand(command)]),
);
