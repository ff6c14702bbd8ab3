import { resolve } from "node:path";
import { checkClientConfig } from "./check-client.ts";
import { faultConfigInvalid } from "./faults.ts";
import { placesOfCertificates } from "./places.ts";
import { readConfigFile } from "./read-config-file.ts";
import type { ClientConfig } from "./types.ts";

/**
 * Reads and checks a client configuration.
 *
 * @throws Fault configNotFound, configUnreadable, configInvalid
 */
export async function loadClientConfig(path: string, cwd = resolve()): Promise<ClientConfig> {
  const text = await readConfigFile(path, "client");
  const certificates = placesOfCertificates("client", { env: process.env, cwd });
  const { config, problems } = checkClientConfig(text, { path, cwd, certificates });
  if (config === undefined) throw faultConfigInvalid(path, problems);
  return { ...config, path: resolve(path) };
}
