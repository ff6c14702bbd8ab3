import { parseCommandLine } from "@daos/cli";
import { DMG } from "./commands.ts";

/** The commands that load nothing when they run. */
const SHORT: ReadonlySet<string> = new Set(["completion", "explain", "version"]);

/** True when a command line needs none of the modules that commands load when they run: for help, and for a few commands. */
export function isShort(argv: readonly string[]): boolean {
  try {
    const line = parseCommandLine(argv[0] === "--version" ? ["version"] : argv, DMG);
    if (line.kind === "topic") return true;
    if (line.kind === "unknown") return false;
    return line.flags.has("help") || (SHORT.has(line.command.name) && !line.flags.has("servers"));
  } catch {
    return false;
  }
}
