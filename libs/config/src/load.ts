import { resolve } from "node:path";
import { checkServerConfig, type ServerCheck } from "./check-server.ts";
import { faultConfigInvalid } from "./faults.ts";
import { placesOfCertificates } from "./places.ts";
import type { Problem } from "./problem.ts";
import { readConfigFile } from "./read-config-file.ts";
import type { ServerConfig, ServerOverrides } from "./types.ts";

/**
 * Reads and checks a server configuration. Relative paths, in the file and on the command line, are relative to the
 * working directory, as in release 0.8.0.
 *
 * @throws Fault configNotFound, configUnreadable, or configInvalid that lists every error with its place
 */
export async function loadServerConfig(
  path: string,
  overrides?: ServerOverrides,
  options: LoadOptions = {},
): Promise<ServerConfig> {
  const { config, problems } = await checkServerFile(path, overrides);
  if (config === undefined) throw faultConfigInvalid(path, problems);
  for (const problem of problems) if (problem.severity === "warning") options.onWarning?.(problem);
  return config;
}

export interface LoadOptions {
  /** Called with each warning about a valid configuration. */
  readonly onWarning?: ((problem: Problem) => void) | undefined;
}

/** As {@link loadServerConfig}, but returns the problems, including warnings, instead of throwing them. */
export async function checkServerFile(path: string, overrides?: ServerOverrides): Promise<ServerCheck> {
  const text = await readConfigFile(path, "server");
  const cwd = resolve();
  const certificates = placesOfCertificates("server", { env: process.env, cwd });
  const check = checkServerConfig(text, { path, overrides, cwd, certificates });
  const absolute = (config: ServerConfig | undefined) =>
    config === undefined ? undefined : { ...config, path: resolve(path) };
  return { ...check, config: absolute(check.config), draft: absolute(check.draft) };
}
