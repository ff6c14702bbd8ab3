import { Start } from "./commands/start.ts";
import { VersionCommand } from "./commands/version.ts";

/** Every command by its name; oclif reads this map (`strategy: "explicit"`). */
export const COMMANDS = {
  start: Start,
  version: VersionCommand,
};
