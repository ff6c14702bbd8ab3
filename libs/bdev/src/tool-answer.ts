import { type Fault, toFault } from "@daos/fault";
import type { Argv, CommandResult, CommandRunner } from "@daos/sys";
import { faultToolFailed } from "./faults.ts";

const MAX_VERSION = 80;

/** How a command failed: the signal that ended it, its own words, or its exit code. */
export function describeEnd({ exitCode, signal, stdout, stderr }: CommandResult): string {
  if (signal !== null) return `${signal} ended it`;
  return stderr.trim() || stdout.trim() || `it ended with ${exitCode}`;
}

/** A fault that names the tool, its version and the command. Answers differ between versions and builds. */
export async function toolFault(runner: CommandRunner, argv: Argv, reason: unknown): Promise<Fault> {
  const text = typeof reason === "string" ? reason : toFault(reason).message;
  return faultToolFailed(argv.join(" "), await versionOf(runner, argv[0]), text);
}

/** The first line that a tool prints about itself, `nvme version 2.3 (git 2.3)`. */
async function versionOf(runner: CommandRunner, tool: string): Promise<string> {
  try {
    const { exitCode, stdout, stderr } = await runner.run([tool, tool === "nvme" ? "version" : "--version"]);
    const [line = ""] = (stdout.trim() || stderr.trim()).split("\n");
    if (exitCode === 0 && line !== "") return line.trim().slice(0, MAX_VERSION);
  } catch {
    // The first failure is the one to report.
  }
  return `${tool} of unknown version`;
}
