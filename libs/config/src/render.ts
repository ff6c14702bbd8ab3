import { formatHostAddress } from "@daos/hostlist";
import { stringify } from "yaml";
import type { EngineFile, ServerFile, SystemDbFile } from "./server-schema.ts";
import type { EngineConfig, ServerConfig, SystemDbConfig } from "./types.ts";

/**
 * Renders the configuration as a file that reads back as the same configuration, with any reader: text is quoted, because
 * in YAML 1.1, as Ansible reads it, the PCI address 0000:41:00.0 is the number 2460 and the user `no` is a boolean.
 */
export function renderServerConfig(config: ServerConfig): string {
  return stringify(toServerFile(config), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
  });
}

/** The configuration as the keys of its file. */
export function toServerFile(config: ServerConfig): ServerFile {
  const { transport } = config;
  return {
    name: config.name,
    access_points: config.accessPoints.map(formatHostAddress),
    port: config.port,
    listen_address: config.listenAddress,
    allow_insecure_devices: config.allowInsecureDevices,
    transport_config: {
      allow_insecure: transport.allowInsecure,
      server_name: transport.serverName,
      client_cert_dir: transport.clientCertDir,
      ca_cert: transport.caCert,
      crl: transport.crl,
      cert: transport.cert,
      key: transport.key,
    },
    system_db: systemDbSection(config.systemDb),
    failure_detection: {
      lease_duration: config.failureDetection.leaseSeconds,
      report_interval: config.failureDetection.reportIntervalMs / 1000,
      overdue_after: config.failureDetection.overdueAfterMs / 1000,
    },
    socket_dir: config.socketDir,
    nr_hugepages: config.nrHugepages,
    spdk_socket: config.spdkSocket,
    control_log_mask: config.controlLogMask,
    control_log_file: config.controlLogFile,
    control_log_json: config.controlLogJson,
    audit_log_file: config.auditLogFile,
    helper_log_file: config.helperLogFile,
    user_name: config.userName,
    group_name: config.groupName,
    engine: config.engine,
    recreate_superblocks: config.recreateSuperblocks,
    bdev_include: [...config.bdevInclude],
    bdev_exclude: [...config.bdevExclude],
    fault_path: config.faultPath,
    fault_cb: config.faultCb,
    telemetry_port: config.telemetryPort,
    telemetry_address: config.telemetryAddress,
    telemetry_tls: config.telemetryTls,
    hyperthreads: config.hyperthreads,
    modules: config.modules,
    servers: config.engines.map(engineSection),
  };
}

function systemDbSection(systemDb: SystemDbConfig): SystemDbFile {
  switch (systemDb.kind) {
    case "embedded":
      return { backend: "embedded" };
    case "etcd":
      return {
        backend: "etcd",
        endpoints: [...systemDb.endpoints],
        ca_cert: systemDb.caCert,
        cert: systemDb.cert,
        key: systemDb.key,
      };
  }
}

function engineSection(engine: EngineConfig): EngineFile {
  const { scm, bdev } = engine;
  return {
    rank: engine.rank,
    targets: engine.targets,
    nr_xs_helpers: engine.nrXsHelpers,
    first_core: engine.firstCore,
    provider: engine.provider,
    fabric_iface: engine.fabricIface,
    fabric_iface_port: engine.fabricIfacePort,
    pinned_numa_node: engine.pinnedNumaNode,
    log_mask: engine.logMask,
    log_file: engine.logFile,
    env_vars: [...engine.envVars],
    scm_mount: scm.mount,
    scm_class: scm.class,
    ...(scm.class === "ram" ? { scm_size: scm.sizeGiB } : { scm_list: [scm.device] }),
    bdev_class: bdev.class,
    bdev_list: [...bdev.list],
    ...(bdev.number > 0 ? { bdev_number: bdev.number } : {}),
    ...(bdev.sizeGB > 0 ? { bdev_size: bdev.sizeGB } : {}),
  };
}
