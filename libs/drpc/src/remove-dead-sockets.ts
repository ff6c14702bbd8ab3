import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { native } from "./native.ts";

/**
 * Removes the sockets of a directory that nobody listens on any more and whose name `matches`; answers with the names of
 * those that are alive or cannot be removed. Release 0.8.0 removes live ones too, and so cuts off a second server's engines.
 *
 * @throws Error of `readdir` when the directory cannot be read
 * @see DAOS 0.8.0 src/control/server/drpc.go checkDrpcClientSocketPath, drpcCleanup
 */
export async function removeDeadSockets(
  directory: string,
  matches: (name: string) => boolean,
): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const name of (await readdir(directory)).filter(matches).sort()) {
    try {
      native.removeDead(join(directory, name));
    } catch {
      kept.push(name);
    }
  }
  return kept;
}
