import { currentDirectory, type Terminal } from "@daos/cli";
import type { ClientConfig } from "@daos/config";
import { type ConfigPlace, configDirectories, placeOfConfig } from "@daos/config/places";
import type { ControlClient } from "@daos/control-client";
import { errorText, Fault, FaultCode } from "@daos/fault";
import { type HostAddress, parseHostList } from "@daos/hostlist";
import { createLogger, formatConsoleLine } from "@daos/log";
import { defaultClientConfig } from "./default-config.ts";
import type { ExpiryNotes } from "./expiry-notes.ts";
import { readTextFile } from "./read-text-file.ts";

/** The flags of the command line that say how to reach the system. */
export interface ConnectOptions {
  readonly hostList: string | undefined;
  readonly hostFile: string | undefined;
  readonly configPath: string | undefined;
  readonly insecure: boolean;
  readonly debug: boolean;
  readonly timeoutMs: number | undefined;
  readonly fanout: number | undefined;
  readonly terminal: Terminal;
  /** Gets the warnings about certificates that expire soon. */
  readonly expiry: ExpiryNotes;
}

/**
 * A client for the system, the name of the system, and the default port. The default port is the port of the given
 * hosts if they all have the same, else the configured port.
 */
export interface Connection {
  readonly client: ControlClient;
  readonly system: string;
  readonly port: number;
  /** True when the command line names the hosts. Only these are then called. */
  readonly named: boolean;
}

/**
 * Makes a client from the flags and the configuration file. Flags override the file. It sends nothing.
 *
 * @throws Fault for a configuration, a host list or a host file that cannot be used
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { terminal, fanout, timeoutMs } = options;
  // Loading gRPC takes most of the start-up time. `--help` and wrong flags do not need it.
  const loading = import("@daos/control-client");
  const place = placeOfConfig("client", options.configPath, { env: process.env });
  const config = await readConfig(place);
  const hosts = await chooseHosts(options, config);
  const { tls, explain, onServerCertificate } = await security(config, options);
  const log = createLogger((record) => terminal.err(`${formatConsoleLine(record)}\n`), {
    level: options.debug ? "DEBUG" : "WARN",
    component: "dmg",
  });
  log.debug("configuration", {
    file: config.path ?? "none",
    from: place.from,
    ...(place.from === "none" ? { searched: configDirectories(process.env) } : {}),
    hosts: hosts.length,
    tls: tls !== undefined,
  });
  if (tls !== undefined) {
    const { caCert, cert, key } = config.transport;
    log.debug("certificates", { caCert, cert, key });
  }
  const { ControlClient } = await loading;
  return {
    client: new ControlClient({
      hosts,
      tls,
      explain,
      onServerCertificate,
      timeoutMs,
      signal: terminal.signal,
      log,
      ...(fanout === undefined ? {} : { fanout }),
    }),
    system: config.name,
    port: commonPort(hosts) ?? config.port,
    named: options.hostList !== undefined || options.hostFile !== undefined,
  };
}

function commonPort(hosts: readonly HostAddress[]): number | undefined {
  const [first, ...others] = new Set(hosts.map(({ port }) => port));
  return others.length === 0 ? first : undefined;
}

async function readConfig({ path, from }: ConfigPlace): Promise<ClientConfig> {
  if (from === "none") return defaultClientConfig();
  const { loadClientConfig } = await import("@daos/config/client");
  return loadClientConfig(path, currentDirectory());
}

async function chooseHosts(options: ConnectOptions, config: ClientConfig): Promise<readonly HostAddress[]> {
  if (options.hostList !== undefined) return parseHostList(options.hostList, config.port);
  const file = options.hostFile ?? config.hostFile;
  if (file !== undefined) return readHostFile(file, config.port);
  return parseHostList(config.hostlist.join(","), config.port);
}

/** Reads a host file: one host list per line; `#` starts a comment. @throws Fault configNotFound, hostlistInvalid */
async function readHostFile(path: string, defaultPort: number): Promise<readonly HostAddress[]> {
  const text = await readTextFile(path).catch((error: unknown) => {
    throw new Fault({
      domain: "config",
      code: FaultCode.configNotFound,
      description: `the host file ${path} cannot be read`,
      reason: errorText(error),
      resolution: "name a readable file with one host list a line, or use -l",
      cause: error,
    });
  });
  const lists: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const list = line.replace(/#.*/, "").trim().replace(/,$/, "");
    if (list === "") continue;
    checkHostLine(list, `${path}:${index + 1}`);
    lists.push(list);
  }
  if (lists.length > 0) return parseHostList(lists.join(","), defaultPort);
  throw new Fault({
    domain: "client",
    code: FaultCode.hostlistInvalid,
    description: `the host file ${path} names no host`,
    resolution: "write one host list a line into it, or use -l",
  });
}

/** @throws Fault hostlistInvalid with the line */
function checkHostLine(list: string, where: string): void {
  try {
    parseHostList(list);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { domain, code, description, reason, resolution } = error;
    throw new Fault({
      domain,
      code,
      description: `${where}: ${description}`,
      reason,
      resolution,
      cause: error,
    });
  }
}

/**
 * The TLS options of connections with certificates; empty without certificates. @throws Fault for a certificate that
 * cannot be used
 */
async function security(
  { transport }: ClientConfig,
  { insecure, expiry }: Pick<ConnectOptions, "insecure" | "expiry">,
) {
  if (insecure || transport.allowInsecure) return {};
  const { clientTlsOptions, explainTlsError, isTlsError, warnOfExpiry } = await import("@daos/security");
  return {
    tls: await clientTlsOptions(transport, { onExpiring: (warning) => expiry.own(warning) }),
    explain: (error: unknown, peer: string) =>
      isTlsError(error) ? explainTlsError(error, { side: "client", peer, transport }) : undefined,
    onServerCertificate: (host: HostAddress, notAfter: Date) => expiry.server(host, notAfter, warnOfExpiry),
  };
}
