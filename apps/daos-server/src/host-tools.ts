import { checkServerFile, type ServerConfig } from "@daos/config";
import { FaultCode, hasCode } from "@daos/fault";
import type { Logger } from "@daos/log";
import { ProcessCommandRunner } from "@daos/sys";
import { commandTools } from "./command-tools.ts";
import type { GlobalValues } from "./global-flags.ts";
import { stateDirectories } from "./state-directory.ts";
import { type StorageProviders, storageProviders } from "./storage-providers.ts";

/**
 * The tools of a command that examines this host. Warnings go to standard error.
 *
 * @param known the configuration, if it has been read already
 */
export async function hostTools(
  flags: Pick<GlobalValues, "debug" | "config" | "configFrom">,
  known?: Partial<ServerConfig>,
): Promise<
  StorageProviders & {
    readonly log: Logger;
    readonly signal: AbortSignal;
    /** Undefined without a configuration. */
    readonly config: Partial<ServerConfig> | undefined;
  }
> {
  const { log, signal } = await commandTools(flags);
  const config = known ?? (await configured(flags));
  const providers = await storageProviders({
    runner: new ProcessCommandRunner(),
    log,
    stateDirectories: stateDirectories(flags.config, undefined),
    spdkSocket: config?.spdkSocket,
    isCommand: true,
    signal,
  });
  return { ...providers, log, signal, config };
}

/**
 * The configuration; undefined when the default one does not exist. A configuration with errors is read as far as possible,
 * because a host is examined before its configuration is correct.
 */
async function configured({
  config: file,
  configFrom,
}: Pick<GlobalValues, "config" | "configFrom">): Promise<Partial<ServerConfig> | undefined> {
  if (configFrom === "none") return undefined;
  try {
    const { config, draft } = await checkServerFile(file);
    return config ?? draft;
  } catch (error) {
    // It belongs to another user. The host can be examined without it.
    if (configFrom === "search" && hasCode(error, FaultCode.configUnreadable)) return undefined;
    throw error;
  }
}
