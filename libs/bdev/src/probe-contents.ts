import { type Argv, type CommandResult, type CommandRunner, hasErrorCode } from "@daos/sys";
import { faultMissingTool, faultUnreadable } from "./faults.ts";
import { parseContents } from "./parse-blkid.ts";
import { describeEnd, toolFault } from "./tool-answer.ts";

export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  /** The device in messages; the path by default. */
  readonly shown?: string | undefined;
}

/**
 * The contents of a device or of an image of one, `ext4`; undefined when libblkid recognizes nothing. Low-level probing
 * reads the device itself. The cache of blkid and the udev database may be stale or missing.
 *
 * @throws Fault missingSoftwareDependency; bdevToolFailed for a device that cannot be read
 */
export async function probeContents(
  runner: CommandRunner,
  path: string,
  { signal, shown = path }: ProbeOptions,
): Promise<string | undefined> {
  const argv: Argv = ["blkid", "--probe", "--output", "export", path];
  let result: CommandResult;
  try {
    result = await runner.run(argv, { signal });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) throw faultMissingTool("blkid", `look for data on ${shown}`);
    throw error;
  }
  const { exitCode, stdout, stderr } = result;
  // Status 2: nothing found, or the device cannot be read. Status 8: contradicting signatures.
  if (exitCode === 2 && stderr.trim() === "") return undefined;
  if (exitCode === 8) return "signatures of several formats";
  if (exitCode !== 0)
    throw faultUnreadable(shown, (await toolFault(runner, argv, describeEnd(result))).message);
  return parseContents(stdout);
}
