import type { NetworkInterfaceInfo } from "node:os";
import type { LogLevel } from "@daos/log";
import { type InjectedFaults, parseInjectedFaults } from "./injected-faults.ts";

/** The settings in the environment of an engine. */
export interface EngineEnvironment {
  /** The fabric address of the engine: `ofi+sockets://192.168.0.5:31416`. */
  readonly uri: string;
  readonly logLevel: LogLevel;
  readonly logFile: string | undefined;
  /** `DAOS_EMULATOR_SCM_BYTES`: the size of SCM in a plain directory. Undefined uses the size of the file system. */
  readonly scmBytes: number | undefined;
  readonly faults: InjectedFaults;
}

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The default port of the real engine. */
const DEFAULT_PORT = "31416";

/**
 * Parses CRT_PHY_ADDR_STR, OFI_INTERFACE, OFI_PORT, D_LOG_MASK, D_LOG_FILE and the emulator's own variables.
 *
 * @throws Error that names a variable with an unusable value
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

/** `D_LOG_MASK` is a level, or a list such as `ERR,mgmt=DEBUG`. The most verbose level of the list applies. */
function levelOf(mask: string): LogLevel {
  if (/DEBUG|DBUG/.test(mask)) return "DEBUG";
  if (mask === "" || /INFO|NOTE/.test(mask)) return "INFO";
  return /WARN/.test(mask) ? "WARN" : "ERROR";
}
