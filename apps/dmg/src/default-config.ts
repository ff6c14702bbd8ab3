import { resolve } from "node:path";
import { currentDirectory } from "@daos/cli";
import type { ClientConfig } from "@daos/config";
import { DEFAULT_PORT } from "@daos/hostlist";

/** The configuration file that dmg reads when none is named. */
export const DEFAULT_CONFIG_PATH = "etc/daos.yml";

/**
 * What `@daos/config` makes of an empty file (a test compares them), without the time it takes to load what reads YAML:
 * a third of a whole command.
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
