import { DMG } from "./commands.ts";
import { oclifCommands } from "./oclif.ts";
/** dmg's commands as oclif loads them; see `oclif.commands` in package.json. */
export const COMMANDS = oclifCommands(DMG);
