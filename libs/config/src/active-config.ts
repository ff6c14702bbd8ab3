import { dirname, join } from "node:path";
import type { Logger } from "@daos/log";
import { writeFileAtomic } from "@daos/sys";
import { renderServerConfig } from "./render.ts";
import type { ServerConfig } from "./types.ts";

/** The name release 0.8.0 gives it. */
export const ACTIVE_CONFIG = ".daos_server.active.yml";

/** Where to write; tests set another place. */
export interface SaveActiveConfigOptions {
  /** The second choice of a directory. */
  readonly fallback?: string;
}

/**
 * Writes the active configuration to `.daos_server.active.yml` beside its file, else to `/tmp`, else to the log. It is for
 * operators. Only its owner can read it, because `env_vars` may hold secrets.
 *
 * @returns the file written, or `undefined` when it went to the log
 */
export async function saveActiveConfig(
  config: ServerConfig,
  log: Logger,
  options: SaveActiveConfigOptions = {},
): Promise<string | undefined> {
  const text = `# The configuration in force, written at start. Changes here have no effect.\n${renderServerConfig(config)}`;
  for (const directory of [dirname(config.path), options.fallback ?? "/tmp"]) {
    const path = join(directory, ACTIVE_CONFIG);
    try {
      await writeFileAtomic(path, text, { mode: 0o600 });
      log.debug("active configuration saved", { path });
      return path;
    } catch (error) {
      log.debug("active configuration not saved", { path, error });
    }
  }
  log.warn("the active configuration cannot be saved anywhere", { config: renderServerConfig(config) });
  return undefined;
}
