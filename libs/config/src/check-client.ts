import { resolve } from "node:path";
import { type ClientFile, clientSchema } from "./client-schema.ts";
import { DEFAULT_NAME, DEFAULT_PORT } from "./defaults.ts";
import { checkHostList, readAddresses } from "./parse-address.ts";
import { type CertificatePlaces, placesOf080 } from "./places.ts";
import { type Problem, sortProblems, withoutSecrets } from "./problem.ts";
import { readYaml } from "./read-yaml.ts";
import type { Report } from "./report.ts";
import type { ClientConfig } from "./types.ts";
import { validate } from "./validate.ts";

/** What a check found; `config` is there unless there is an error. */
export interface ClientCheck {
  readonly config: ClientConfig | undefined;
  readonly problems: readonly Problem[];
}

/** Reads the text of a client configuration, with defaults. Never throws. */
export function checkClientConfig(
  text: string,
  options: {
    readonly path?: string | undefined;
    readonly cwd: string;
    /** The certificates that the file does not name; where release 0.8.0 looks for them by default. */
    readonly certificates?: CertificatePlaces | undefined;
  },
): ClientCheck {
  const { path, cwd, certificates = placesOf080("client", cwd) } = options;
  const name = path ?? "defaults";
  const reading = readYaml(text, name, clientSchema, "client");
  const problems: Problem[] = [...reading.problems, ...validate(reading, name, clientSchema)];
  const file = reading.data as ClientFile;
  const port = file.port ?? DEFAULT_PORT;
  const report: Report = (severity, key, message, expected) => {
    problems.push({ severity, file: name, ...reading.positionOf(key), key, message, expected });
  };
  const accessPoints = readAddresses(file.access_points ?? [`localhost:${port}`], port, report);
  for (const [index, text] of (file.hostlist ?? []).entries()) {
    if (text !== undefined) checkHostList(text, `hostlist[${index}]`, port, report);
  }
  if (problems.some(({ severity }) => severity === "error")) {
    return { config: undefined, problems: sortProblems(problems.map(withoutSecrets)) };
  }
  const transport = file.transport_config ?? {};
  const absolute = (text: string) => resolve(cwd, text);
  const config: ClientConfig = {
    path,
    name: file.name ?? DEFAULT_NAME,
    accessPoints,
    port,
    hostlist: file.hostlist ?? [`localhost:${port}`],
    hostFile: file.host_file === undefined ? undefined : absolute(file.host_file),
    runtimeDir: absolute(file.runtime_dir ?? "/var/run/daos_agent"),
    logFile: file.log_file === undefined ? undefined : absolute(file.log_file),
    transport: {
      allowInsecure: transport.allow_insecure ?? false,
      serverName: transport.server_name ?? "server",
      clientCertDir: absolute(transport.client_cert_dir ?? certificates.clientCertDir),
      caCert: absolute(transport.ca_cert ?? certificates.caCert),
      crl: transport.crl === undefined ? undefined : absolute(transport.crl),
      cert: absolute(transport.cert ?? certificates.cert),
      key: absolute(transport.key ?? certificates.key),
    },
  };
  return { config, problems: sortProblems(problems.map(withoutSecrets)) };
}
