import { currentDirectory } from "@daos/cli";
import type { ClientConfig } from "@daos/config";
import { placesOfCertificates } from "@daos/config/places";
import { DEFAULT_PORT } from "@daos/hostlist";

/**
 * The configuration that `@daos/config` returns for an empty file; a test compares them. It avoids loading the YAML parser,
 * which takes a third of a whole command's time.
 */
export function defaultClientConfig(): ClientConfig {
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
      ...placesOfCertificates("client", { env: process.env, cwd: currentDirectory() }),
    },
  };
}
