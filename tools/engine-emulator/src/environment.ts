import type { NetworkInterfaceInfo } from "node:os";
import type { LogLevel } from "@daos/log";
import { type InjectedFaults, parseInjectedFaults } from "./injected-faults.ts";

/** What the environment of an engine says. */
export interface EngineEnvironment {
  /** Of the engine in its system, as in `ofi+sockets://192.168.0.5:31416`. */
  readonly uri: string;
  readonly logLevel: LogLevel;
  readonly logFile: string | undefined;
  /** `DAOS_EMULATOR_SCM_BYTES`: the SCM's size where the mount point is a mere directory; undefined asks the file system. */
  readonly scmBytes: number | undefined;
  readonly faults: InjectedFaults;
}

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Where the real engine listens by default. */
const DEFAULT_PORT = "31416";

/**
 * Reads CRT_PHY_ADDR_STR, OFI_INTERFACE, OFI_PORT, D_LOG_MASK, D_LOG_FILE and the emulator's own variables.
 *
 * @throws Error that names the variable with a value that cannot be used
 */
export function parseEnvironment(env: NodeJS.ProcessEnv, interfaces: Interfaces): EngineEnvironment {
  const provider = env.CRT_PHY_ADDR_STR ?? "ofi+sockets";
  const port = env.OFI_PORT ?? DEFAULT_PORT;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new Error(`OFI_PORT is not a port: "${port}"`);
  const size = env.DAOS_EMULATOR_SCM_BYTES;
  if (size !== undefined && !/^\d{1,15}$/.test(size)) {
    throw new Error(`DAOS_EMULATOR_SCM_BYTES is not a number of bytes: "${size}"`);
  }
  return {
    uri: `${provider.split(";")[0]}://${addressOf(env.OFI_INTERFACE ?? "lo", interfaces)}:${port}`,
    logLevel: levelOf(env.D_LOG_MASK ?? ""),
    logFile: env.D_LOG_FILE || undefined,
    scmBytes: size === undefined ? undefined : Number(size),
    faults: parseInjectedFaults(env.DAOS_EMULATOR_FAULTS ?? ""),
  };
}

function addressOf(name: string, interfaces: Interfaces): string {
  const addresses = interfaces[name];
  if (addresses === undefined) {
    throw new Error(`OFI_INTERFACE: there is no interface ${name} (${Object.keys(interfaces).join(", ")})`);
  }
  const address = addresses.find(({ family }) => family === "IPv4") ?? addresses[0];
  return address?.family === "IPv6" ? `[${address.address}]` : (address?.address ?? "0.0.0.0");
}

/** `D_LOG_MASK` is a level, or a list such as `ERR,mgmt=DEBUG`: its most talkative part counts. */
function levelOf(mask: string): LogLevel {
  if (/DEBUG|DBUG/.test(mask)) return "DEBUG";
  if (mask === "" || /INFO|NOTE/.test(mask)) return "INFO";
  return /WARN/.test(mask) ? "WARN" : "ERROR";
}
