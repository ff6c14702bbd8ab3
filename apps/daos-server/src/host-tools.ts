import type { Logger } from "@daos/log";
import { ProcessCommandRunner } from "@daos/sys";
import { commandTools } from "./command-tools.ts";
import { stateDirectories } from "./state-directory.ts";
import { type StorageProviders, storageProviders } from "./storage-providers.ts";

/** What a command that looks at this host once works with; warnings go to standard error. */
export async function hostTools(flags: {
  readonly debug: boolean;
  readonly config: string;
}): Promise<StorageProviders & { readonly log: Logger; readonly signal: AbortSignal }> {
  const { log, signal } = commandTools(flags);
  const providers = await storageProviders({
    runner: new ProcessCommandRunner(),
    log,
    stateDirectories: stateDirectories(flags.config, undefined),
    signal,
  });
  return { ...providers, log, signal };
}

/** JSON text of a result; sizes beyond 2^53 are exact as strings. */
export function toJson(result: unknown): string {
  return JSON.stringify(
    result,
    (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value),
    2,
  );
}
