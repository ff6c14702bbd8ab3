import type { HostAddress } from "@daos/hostlist";
import type { LogLevel } from "@daos/log";
import type { Rank } from "@daos/rank";

/** TLS settings of a server or a client. Paths are absolute. */
export interface TransportConfig {
  readonly allowInsecure: boolean;
  /** The name that the server's certificate must have. */
  readonly serverName: string;
  /** Directory of the client certificates that verify credentials. */
  readonly clientCertDir: string;
  readonly caCert: string;
  /** List of revoked certificates. */
  readonly crl?: string | undefined;
  readonly cert: string;
  readonly key: string;
}

/** Where the members of the system are stored. Paths are absolute. */
export type SystemDbConfig =
  | { readonly kind: "embedded" }
  | {
      readonly kind: "etcd";
      /** `http://host:port` or `https://host:port`, at least one. */
      readonly endpoints: readonly string[];
      readonly caCert?: string | undefined;
      readonly cert?: string | undefined;
      readonly key?: string | undefined;
    };

/** How fast a leader or a host that has died is noticed. */
export interface FailureDetectionConfig {
  readonly leaseSeconds: number;
  readonly reportIntervalMs: number;
  readonly overdueAfterMs: number;
}

/** Storage class memory of one engine: a tmpfs, or one persistent-memory namespace. */
export type ScmConfig =
  | { readonly class: "ram"; readonly mount: string; readonly sizeGiB: number }
  | { readonly class: "dcpm"; readonly mount: string; readonly device: string };

/** Block devices of one engine. */
export interface BdevConfig {
  readonly class: "nvme" | "malloc" | "kdev" | "file";
  /** PCI addresses (nvme), block devices (kdev) or files (file). */
  readonly list: readonly string[];
  /** Number of devices of class `malloc`; 0 for the other classes. */
  readonly number: number;
  /** Size of each malloc device or file in GB (10^9 bytes); 0 for the other classes. */
  readonly sizeGB: number;
}

/** One engine: a section of the file's `servers`, with the values that it inherits from the top level. */
export interface EngineConfig {
  readonly index: number;
  readonly rank?: Rank | undefined;
  readonly targets: number;
  /** Helper streams per target, 0 to 2. */
  readonly nrXsHelpers: number;
  readonly firstCore: number;
  readonly provider: string;
  readonly fabricIface: string;
  /** 0: the engine chooses one. */
  readonly fabricIfacePort: number;
  readonly pinnedNumaNode?: number | undefined;
  readonly logMask?: string | undefined;
  readonly logFile?: string | undefined;
  /** `NAME=value` each. */
  readonly envVars: readonly string[];
  readonly scm: ScmConfig;
  readonly bdev: BdevConfig;
  readonly systemName: string;
  readonly socketDir: string;
  readonly modules?: string | undefined;
}

/** A server's configuration: file, defaults and command line merged, all paths absolute. */
export interface ServerConfig {
  /** The file it was read from. */
  readonly path: string;
  readonly name: string;
  readonly accessPoints: readonly HostAddress[];
  readonly port: number;
  /** Where this host listens; absent, it depends on the access points. */
  readonly listenAddress?: string | undefined;
  /** Devices may be changed by callers without certificates. */
  readonly allowInsecureDevices: boolean;
  readonly transport: TransportConfig;
  readonly systemDb: SystemDbConfig;
  readonly failureDetection: FailureDetectionConfig;
  readonly socketDir: string;
  readonly nrHugepages: number;
  /** Socket of an SPDK target, which need not run. */
  readonly spdkSocket: string;
  readonly controlLogMask: LogLevel;
  readonly controlLogFile?: string | undefined;
  readonly controlLogJson: boolean;
  /** Log of the calls that change something; the control plane's own log when absent. */
  readonly auditLogFile?: string | undefined;
  readonly helperLogFile?: string | undefined;
  readonly userName?: string | undefined;
  readonly groupName?: string | undefined;
  /** The `daos_io_server` executable. */
  readonly engine: "installed" | "emulated";
  readonly recreateSuperblocks: boolean;
  readonly bdevInclude: readonly string[];
  readonly bdevExclude: readonly string[];
  readonly faultPath?: string | undefined;
  readonly faultCb?: string | undefined;
  /** Port for Prometheus; no listener when absent. */
  readonly telemetryPort?: number | undefined;
  /** Where that listener is; the control plane's own address when absent. */
  readonly telemetryAddress?: string | undefined;
  /** It serves HTTPS with the server's certificate. */
  readonly telemetryTls: boolean;
  readonly hyperthreads: boolean;
  readonly modules?: string | undefined;
  readonly engines: readonly EngineConfig[];
}

/** Options of the command line. They take precedence over the file. */
export interface ServerOverrides {
  readonly port?: number | undefined;
  /** `scm_mount` of every engine. */
  readonly storage?: string | undefined;
  readonly modules?: string | undefined;
  readonly targets?: number | undefined;
  readonly xsHelpers?: number | undefined;
  readonly firstCore?: number | undefined;
  /** The system name. */
  readonly group?: string | undefined;
  readonly socketDir?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly engine?: "installed" | "emulated" | undefined;
  readonly recreateSuperblocks?: boolean | undefined;
}

/** The configuration of `dmg` and of the agent. */
export interface ClientConfig {
  /** The file it was read from; `undefined` when there is none and all values are defaults. */
  readonly path?: string | undefined;
  readonly name: string;
  readonly accessPoints: readonly HostAddress[];
  readonly port: number;
  /** Host lists such as `node[1-8]:10001`, not yet expanded. */
  readonly hostlist: readonly string[];
  readonly hostFile?: string | undefined;
  readonly runtimeDir: string;
  readonly logFile?: string | undefined;
  readonly transport: TransportConfig;
}
