import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { native } from "./native.ts";

/**
 * Removes the dead sockets of a directory whose names match `matches`. Returns the names of those that are alive or
 * cannot be removed. Release 0.8.0 removes live sockets too, and so disconnects a second server's engines.
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
