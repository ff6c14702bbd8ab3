import { resolve } from "node:path";
import { currentDirectory } from "@daos/cli";
import type { ClientConfig } from "@daos/config";
import { DEFAULT_PORT } from "@daos/hostlist";

/** The configuration file that dmg reads by default. */
export const DEFAULT_CONFIG_PATH = "etc/daos.yml";

/**
 * What `@daos/config` returns for an empty file; a test compares them. It avoids loading the YAML parser, which takes a
 * third of a whole command's time.
 */
export function defaultClientConfig(): ClientConfig {
  const cwd = currentDirectory();
  return {
    path: undefined,
    name: "daos_server",
    accessPoints: [{ host: "localhost", port: DEFAULT_PORT }],
    port: DEFAULT_PORT,
    hostlist: [`localhost:${DEFAULT_PORT}`],
    hostFile: undefined,
    runtimeDir: "/var/run/daos_agent",
    logFile: undefined,
    transport: {
      allowInsecure: false,
      serverName: "server",
      clientCertDir: resolve(cwd, ".daos/clients"),
      caCert: resolve(cwd, ".daos/daosCA.crt"),
      cert: resolve(cwd, ".daos/client.crt"),
      key: resolve(cwd, ".daos/client.key"),
    },
  };
}
