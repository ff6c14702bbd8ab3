import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Fault, FaultCode } from "@daos/fault";

/** Runs npm in the plugin directory. @throws Fault missingSoftwareDependency with npm's first error line */
export async function npm(directory: string, argv: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("npm", ["--prefix", directory, ...argv], { cwd: directory });
  } catch (error) {
    throw new Fault({
      domain: "general",
      code: FaultCode.missingSoftwareDependency,
      description: `npm ${argv.join(" ")} failed`,
      reason: (error as { stderr?: string }).stderr?.trim().split("\n")[0] ?? String(error),
      resolution: "check that npm is installed and that a registry can be reached, or use: dmg plugins link",
      cause: error,
    });
  }
}
