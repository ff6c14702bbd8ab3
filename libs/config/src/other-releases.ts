import type { FileKind } from "./file-kind.ts";

/** A key of another release and its replacement here. */
export interface OtherReleaseKey {
  /** The release that has it. */
  readonly release: "2.x" | "before 0.8";
  /** The key here that does the same. */
  readonly here?: string;
  /** A further remark, as a clause. */
  readonly note?: string;
  /** The keys below it, which are explained one by one. */
  readonly section?: string;
}

type Table = Readonly<Record<string, OtherReleaseKey>>;

const newer = (here: string, note?: string): OtherReleaseKey => ({
  release: "2.x",
  here,
  ...(note === undefined ? {} : { note }),
});
const unsupported = (note?: string): OtherReleaseKey => ({
  release: "2.x",
  ...(note === undefined ? {} : { note }),
});
const older = (here: string): OtherReleaseKey => ({ release: "before 0.8", here });

const ENGINE: Table = {
  storage: {
    release: "2.x",
    here: "scm_* and bdev_*",
    note: "they stand in the section itself, one memory and one block tier",
    section: "storage[]",
  },
  bypass_health_chk: unsupported("the engine decides"),
  crt_ctx_share_addr: newer("env_vars", "as CRT_CTX_SHARE_ADDR=0"),
  crt_timeout: newer("env_vars", "as CRT_TIMEOUT=30"),
  fabric_auth_key: unsupported(),
  fabric_numa_node: newer("pinned_numa_node"),
  num_secondary_endpoints: unsupported(),
  disable_srx: newer("env_vars", "as FI_OFI_RXM_USE_SRX=0"),
  acceleration: unsupported(),
  spdk_rpc_server: unsupported(),
  env_pass_through: unsupported("engines get the server's whole environment"),
  enable_hotplug: unsupported("hotplug is off"),
  bdev_auto_faulty: unsupported(),
  cpus: older("targets and first_core"),
  debug_mask: older("log_mask"),
  mount_force: older("scm_mount"),
  nvme_force: older("bdev_list"),
};

const SERVER_TABLES: Readonly<Record<string, Table>> = {
  "": {
    engines: { release: "2.x", here: "servers", section: "servers[]" },
    mgmt_svc_replicas: newer("access_points"),
    control_metadata: {
      release: "2.x",
      note: "the control plane keeps its data beside the superblock, in scm_mount",
      section: "control_metadata",
    },
    crt_ctx_share_addr: newer("servers[].env_vars", "as CRT_CTX_SHARE_ADDR=0"),
    crt_timeout: newer("servers[].env_vars", "as CRT_TIMEOUT=30"),
    disable_srx: newer("servers[].env_vars", "as FI_OFI_RXM_USE_SRX=0"),
    num_secondary_endpoints: unsupported(),
    fabric_auth_key: unsupported(),
    bypass_health_chk: unsupported("the engine decides"),
    core_dump_filter: unsupported("set it with systemd: CoredumpFilter="),
    disable_vfio: unsupported("storage prepare takes vfio-pci when the machine has an IOMMU"),
    disable_vmd: unsupported("controllers behind a VMD are not used"),
    enable_vmd: unsupported("controllers behind a VMD are not used"),
    enable_hotplug: unsupported("hotplug is off"),
    set_hugepages: newer("nr_hugepages"),
    disable_hugepages: newer("nr_hugepages", "0 reserves none"),
    allow_numa_imbalance: unsupported(),
    allow_transparent_hugepages: unsupported(),
    allow_thp: unsupported(),
    system_ram_reserved: newer("servers[].scm_size", "memory is not shared out automatically"),
    firmware_helper_log_file: newer("helper_log_file"),
    telemetry_config: unsupported(),
    client_env_vars: unsupported("set them where the client runs"),
    support_config: { release: "2.x", section: "support_config" },
    fabric_numa_node: newer("servers[].pinned_numa_node"),
    hotplug_busid_range: unsupported("hotplug is off"),
    system_map: older("access_points"),
    attach: older("access_points"),
    mount_path: older("scm_mount_path"),
    nvme_include: older("bdev_include"),
    nvme_exclude: older("bdev_exclude"),
    auto: { release: "before 0.8", note: "daos-server config generate makes sections for this machine" },
    format: { release: "before 0.8", note: "storage is formatted with dmg storage format" },
    ca_cert: older("transport_config.ca_cert"),
    cert: older("transport_config.cert"),
    key: older("transport_config.key"),
  },
  "servers[]": ENGINE,
  "storage[]": {
    class: newer("scm_class or bdev_class", "scm_class for dcpm and ram, bdev_class for the others"),
    scm_mount: newer("scm_mount", "in the section itself"),
    scm_size: newer("scm_size", "in the section itself"),
    scm_list: newer("scm_list", "in the section itself"),
    scm_hugepages_disabled: unsupported(),
    bdev_list: newer("bdev_list", "in the section itself"),
    bdev_size: newer("bdev_size", "in the section itself"),
    bdev_number: newer("bdev_number", "in the section itself"),
    bdev_busid_range: unsupported("hotplug is off"),
    bdev_roles: unsupported("block devices hold data only"),
  },
  control_metadata: { path: unsupported(), device: unsupported() },
  support_config: { file_transfer_exec: unsupported() },
  transport_config: {
    client_user_map: unsupported(),
  },
};

const CLIENT_TABLES: Readonly<Record<string, Table>> = {
  "": {
    mgmt_svc_replicas: newer("access_points"),
    control_log_file: newer("log_file"),
    control_log_mask: unsupported("use dmg --debug"),
    credential_config: unsupported(),
    cache_expiration: unsupported(),
    disable_caching: unsupported(),
    disable_auto_evict: unsupported(),
    evict_on_start: unsupported(),
    exclude_fabric_ifaces: unsupported(),
    include_fabric_ifaces: unsupported(),
    fabric_ifaces: unsupported(),
    provider: unsupported("clients take the servers' provider"),
    telemetry_port: unsupported(),
    telemetry_enabled: unsupported(),
    telemetry_retain: unsupported(),
    telemetry_enabled_procs: unsupported(),
    telemetry_disabled_procs: unsupported(),
    ca_cert: older("transport_config.ca_cert"),
    cert: older("transport_config.cert"),
    key: older("transport_config.key"),
  },
};

/** Explains a key of another release in a section such as `servers[0]`; `undefined` when no release has it. */
export function otherReleaseKey(kind: FileKind, section: string, key: string): OtherReleaseKey | undefined {
  const table = (kind === "server" ? SERVER_TABLES : CLIENT_TABLES)[section.replace(/\[\d+\]/g, "[]")];
  return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}

/** `key of DAOS 2.x, here access_points`, or `..., unsupported here`. */
export function describeOtherReleaseKey({ release, here, note }: OtherReleaseKey): string {
  const from = release === "2.x" ? "a key of DAOS 2.x" : "a key of releases before 0.8";
  const fate = here === undefined ? "unsupported here" : `here it is ${here}`;
  return note === undefined ? `${from}, ${fate}` : `${from}, ${fate} (${note})`;
}

/** Every key of other releases, for `config explain` and the documentation. */
export function listOtherReleaseKeys(
  kind: FileKind,
): readonly (readonly [section: string, key: string, OtherReleaseKey])[] {
  const tables = kind === "server" ? SERVER_TABLES : CLIENT_TABLES;
  return Object.entries(tables).flatMap(([section, table]) =>
    Object.entries(table).map(([key, entry]) => [section, key, entry] as const),
  );
}
