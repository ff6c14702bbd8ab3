import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { hasErrorCode } from "./error-code.ts";
import { faultProcessNotStarted } from "./faults.ts";

/**
 * Starts a process, and resolves when it runs. Its output and its end are not lost: their events come in later turns of the event loop. A process that could not get descriptors has no streams, so the streams must not be used before this resolves.
 *
 * @throws Error with `code` ENOENT when there is no such program; Fault processNotStarted when it may not be executed, or
 *   descriptors, processes or memory have run out
 */
export async function startProcess<Child extends ChildProcess = ChildProcess>(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<Child> {
  try {
    const child = spawn(program, args, options);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    return child as Child;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) throw error;
    throw faultProcessNotStarted(program, error);
  }
}
