import { type CommandRunner, hasErrorCode, readBlockSignatures } from "@daos/sys";
import { faultMissingTool, faultUnreadable } from "./faults.ts";
import { describeEnd, toolFault } from "./tool-answer.ts";

export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  /** The device in messages; the path by default. */
  readonly shown?: string | undefined;
}

/**
 * The contents of a device or of an image of one: `ext4`, `gpt partition table`; undefined when libblkid recognizes nothing.
 *
 * @throws Fault missingSoftwareDependency; bdevToolFailed for a device that cannot be read
 */
export async function probeContents(
  runner: CommandRunner,
  path: string,
  { signal, shown = path }: ProbeOptions,
): Promise<string | undefined> {
  const found = await readBlockSignatures(runner, path, { signal }).catch((error: unknown) => {
    throw hasErrorCode(error, "ENOENT") ? faultMissingTool("blkid", `look for data on ${shown}`) : error;
  });
  switch (found.kind) {
    case "none":
      return undefined;
    case "several":
      return "signatures of several formats";
    case "one":
      return found.isTable ? `${found.type} partition table` : found.type;
    case "unreadable": {
      const { message } = await toolFault(runner, found.argv, describeEnd(found.result));
      throw faultUnreadable(shown, message);
    }
    default:
      return found satisfies never;
  }
}
