import { oclifCommands } from "@daos/dmg-kit/oclif";
import { serverTopic } from "./index.ts";

/** The commands as oclif loads them; see `oclif.commands` in package.json. */
export const COMMANDS = oclifCommands(serverTopic);
