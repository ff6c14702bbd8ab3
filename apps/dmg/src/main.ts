import { processTerminal } from "@daos/dmg-kit";
import { dmg } from "./dmg.ts";

process.exitCode = await dmg(process.argv.slice(2), processTerminal());
