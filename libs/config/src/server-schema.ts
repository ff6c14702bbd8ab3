import * as z from "zod";
import { count, flag, type KeyMeta, path, text } from "./schema-kinds.ts";
import { transportSchema } from "./transport-schema.ts";

const MAX_PORT = 65_535;
const MAX_RANK = 4_294_967_294;

const PCI_ADDRESS = /^[0-9a-fA-F]{4,}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]$/;

/** True for `0000:81:00.0` and for the addresses behind a VMD, `5d0505:01:00.0`. */
export function isPciAddress(value: string): boolean {
  return PCI_ADDRESS.test(value);
}

const pciAddress = z.string().regex(PCI_ADDRESS).meta({ title: 'a PCI address such as "0000:81:00.0"' });

const SYSTEM_DB_BACKENDS = ["embedded", "etcd"] as const;

/** Where the access points store the members of the system. */
const systemDbSchema = z.strictObject({
  backend: z
    .enum(SYSTEM_DB_BACKENDS)
    .meta({
      description:
        "embedded: a file of the first access point, which leads. etcd: an etcd cluster, through which the access points elect a leader.",
      default: "embedded",
    })
    .optional(),
  endpoints: z
    .array(z.string().min(1))
    .meta({
      description: "URLs of the members of the etcd cluster; the same on every access point.",
      examples: [["https://etcd1:2379", "https://etcd2:2379", "https://etcd3:2379"]],
    })
    .optional(),
  ca_cert: path({
    description:
      "Certificate of the authority that signed etcd's. Without it, the authorities of this machine.",
    examples: ["/etc/daos/certs/etcdCA.crt"],
  }).optional(),
  cert: path({
    description: "Certificate to show to etcd, when it asks for one.",
    examples: ["/etc/daos/certs/etcd-client.crt"],
  }).optional(),
  key: path({
    description: "The private key of the certificate for etcd.",
    examples: ["/etc/daos/certs/etcd-client.key"],
  }).optional(),
});

export const DEFAULT_LEASE_SECONDS = 3;
export const DEFAULT_REPORT_INTERVAL_SECONDS = 5;
export const DEFAULT_OVERDUE_AFTER_SECONDS = 15;

/** How fast a leader or a host that has died is noticed. */
const failureDetectionSchema = z.strictObject({
  lease_duration: count(3, 60, {
    description:
      "Time in seconds after which access points replace a leader that has not renewed its lease in etcd. It is renewed four times as often.",
    default: DEFAULT_LEASE_SECONDS,
  }).optional(),
  report_interval: count(1, 60, {
    description: "Time in seconds between two reports of a host to the leader when nothing changes.",
    default: DEFAULT_REPORT_INTERVAL_SECONDS,
  }).optional(),
  overdue_after: count(3, 600, {
    description:
      "Time in seconds without a report after which the leader marks the members of a host as unresponsive. It is three intervals of that host at least.",
    default: DEFAULT_OVERDUE_AFTER_SECONDS,
  }).optional(),
});

export const SCM_CLASSES = ["dcpm", "ram"] as const;
export const BDEV_CLASSES = ["nvme", "malloc", "kdev", "file"] as const;
export const LOG_MASKS = ["DEBUG", "INFO", "WARN", "ERROR"] as const;

const PROVIDER: KeyMeta = {
  description: "How engines talk over the fabric: the libfabric provider, CRT_PHY_ADDR_STR of the engine.",
  examples: ["ofi+sockets", "ofi+psm2", "ofi+verbs;ofi_rxm"],
};
const FABRIC_IFACE: KeyMeta = {
  description: "Network interface that the engine uses: OFI_INTERFACE.",
  examples: ["eth0", "ib0", "qib0"],
};
const FABRIC_IFACE_PORT: KeyMeta = {
  description: "Port on the interface: OFI_PORT. 0: the engine chooses one.",
  default: 0,
  examples: [31416],
};

const NAME_FORM = {
  title: "1 to 63 characters without white space and slashes",
  description: "Name of the DAOS system; fixed once the storage is formatted.",
};
const systemName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[^\s/]+$/);
const WRITTEN = "Written by release 0.8.0 into its active configuration; not used.";
const COPIED = "Written by release 0.8.0 into its active configuration; the top level's counts.";

/** One section of `servers`. */
export const engineSchema = z.strictObject({
  rank: count(0, MAX_RANK, {
    description: "Rank that the engine asks for. Without it the management service gives it one.",
  }).optional(),
  targets: count(0, 1024, {
    description: "Number of storage targets, one core each. 0: the engine uses as many as it finds cores.",
    default: 0,
    examples: [8],
  }).optional(),
  nr_xs_helpers: count(0, Number.MAX_SAFE_INTEGER, {
    description:
      "Helper streams per target: 0, 1 or 2. Larger values count as 2. Left out it is 0, as release 0.8.0 starts the engine then, although its sample file says 2.",
    default: 0,
  }).optional(),
  first_core: count(0, 65_535, {
    description: "First core that the engine uses.",
    default: 0,
  }).optional(),
  provider: text({
    ...PROVIDER,
    description: `${PROVIDER.description} Without it, the top level's.`,
  }).optional(),
  fabric_iface: text({
    ...FABRIC_IFACE,
    description: `${FABRIC_IFACE.description} Without it, the top level's.`,
  }).optional(),
  fabric_iface_port: count(0, MAX_PORT, {
    description: `${FABRIC_IFACE_PORT.description} Without it, the top level's.`,
    examples: FABRIC_IFACE_PORT.examples ?? [],
  }).optional(),
  pinned_numa_node: count(0, 1023, {
    description:
      "NUMA node that the engine's cores and memory come from; its interface should be on the same one.",
  }).optional(),
  log_mask: text({
    description: "How much the engine logs: D_LOG_MASK, a level and exceptions for facilities.",
    examples: ["ERR", "DEBUG,RPC=ERR,MEM=ERR"],
  }).optional(),
  log_file: path({
    description: "The engine's log: D_LOG_FILE.",
    examples: ["/tmp/daos_server.log"],
  }).optional(),
  env_vars: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*=/)
        .meta({ title: "NAME=value, as in CRT_TIMEOUT=30" }),
    )
    .meta({
      description: "Environment variables of the engine, `NAME=value` without quotes.",
      default: [],
      examples: [["CRT_TIMEOUT=30", "CRT_CTX_SHARE_ADDR=0"]],
    })
    .optional(),
  scm_mount: path({
    description:
      "Where the engine's storage class memory is mounted; it or its parent must be a mount point.",
    examples: ["/mnt/daos"],
  }).optional(),
  scm_class: z
    .enum(SCM_CLASSES)
    .meta({ description: "dcpm: persistent memory in AppDirect mode. ram: a tmpfs that stands in for it." })
    .optional(),
  scm_list: z
    .array(z.string().min(1))
    .meta({
      description:
        "The namespace of persistent memory, for scm_class dcpm; one device, or the uuid of one, which stays the same at a reboot.",
      examples: [["/dev/pmem0"], ["uuid:55bedf6f-a14a-429c-b65a-b764e01892cf"]],
    })
    .optional(),
  scm_size: count(0, 1_048_576, {
    description: "Size of the tmpfs in GiB, for scm_class ram.",
    examples: [16],
  }).optional(),
  bdev_class: z
    .enum(BDEV_CLASSES)
    .meta({
      description:
        "nvme: NVMe SSDs through SPDK. malloc: memory, kdev: kernel block devices, file: files that stand in for them.",
      default: "nvme",
    })
    .optional(),
  bdev_list: z
    .array(z.string().min(1))
    .meta({
      description: "PCI addresses (nvme), block devices (kdev) or files (file) of this engine.",
      default: [],
      examples: [["0000:81:00.0"], ["/tmp/daos-bdev"]],
    })
    .optional(),
  bdev_number: count(0, 1024, {
    description: "Number of devices, for bdev_class malloc.",
    default: 0,
  }).optional(),
  bdev_size: count(0, 1_048_576, {
    description: "Size of each device in GB (10^9 bytes), for bdev_class malloc and file.",
    default: 0,
  }).optional(),
  name: systemName.meta({ title: NAME_FORM.title, description: COPIED }).optional(),
  socket_dir: path({ description: COPIED }).optional(),
  modules: text({ description: COPIED }).optional(),
});

/** The whole server file. */
export const serverSchema = z.strictObject({
  name: systemName.meta({ ...NAME_FORM, default: "daos_server" }).optional(),
  access_points: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description:
        "Hosts of the management service, `host` or `host:port`; the same list on every server and client of a system.",
      default: ["localhost:10001"],
      examples: [["hostname1:10001"]],
    })
    .optional(),
  port: count(1, MAX_PORT, {
    description: "Port of the control plane.",
    default: 10001,
  }).optional(),
  listen_address: text({
    description:
      "Address of this host on which the control plane and its metrics listen: :: for all, 0.0.0.0 for those of IPv4. Left out: all with certificates; with allow_insecure the loopback, unless an access point is elsewhere.",
    examples: ["192.168.10.1", "127.0.0.1"],
  }).optional(),
  allow_insecure_devices: flag({
    description:
      "With allow_insecure, let whoever reaches the port prepare, reset, burn in and format the devices of this host.",
    default: false,
  }).optional(),
  transport_config: transportSchema
    .meta({ description: "Certificates that secure the control plane's connections." })
    .optional(),
  system_db: systemDbSchema
    .meta({
      description: "Where the access points keep the members of the system, and how they agree on a leader.",
    })
    .optional(),
  failure_detection: failureDetectionSchema
    .meta({
      description:
        "How fast a leader or a host that has died is noticed; the same on every server of a system. Longer times suit slow machines.",
    })
    .optional(),
  provider: text(PROVIDER).optional(),
  fabric_iface: text(FABRIC_IFACE).optional(),
  fabric_iface_port: count(0, MAX_PORT, FABRIC_IFACE_PORT).optional(),
  socket_dir: path({
    description: "Directory of the sockets between control plane and engines; it must exist.",
    default: "/var/run/daos_server",
  }).optional(),
  nr_hugepages: count(0, 1_073_741_824, {
    description:
      "Number of hugepages of 2 MiB that storage prepare reserves for SPDK without -p, over all NUMA nodes. With the default, a larger number that the host has is kept.",
    default: 1024,
  }).optional(),
  spdk_socket: path({
    description:
      "Socket of an SPDK target that drives NVMe controllers of this host, if one runs; it must be root's or the server's own.",
    default: "/var/tmp/spdk.sock",
  }).optional(),
  control_log_mask: z
    .enum(LOG_MASKS)
    .meta({
      description: "The least important lines that the control plane logs. Release 0.8.0 does not know WARN.",
      default: "INFO",
    })
    .optional(),
  control_log_file: path({
    description: "Log of the control plane. Without it, it logs to the console.",
    examples: ["/tmp/daos_control.log"],
  }).optional(),
  control_log_json: flag({
    description: "Log one JSON object a line.",
    default: false,
  }).optional(),
  audit_log_file: path({
    description:
      "Log of the calls that change something: who, what, outcome, duration. Without it, these lines are in the log of the control plane.",
    examples: ["/var/log/daos/audit.log"],
  }).optional(),
  helper_log_file: path({ description: "Log of the privileged helper, daos-admin." }).optional(),
  user_name: text({ description: "User that owns what a server run by root has formatted." }).optional(),
  group_name: text({ description: "Group that owns what a server run by root has formatted." }).optional(),
  engine: z
    .enum(["installed", "emulated"])
    .meta({
      description:
        "The daos_io_server to start: the installed data plane's, or the emulated one to try things on.",
      default: "installed",
    })
    .optional(),
  recreate_superblocks: flag({
    description: "Create a missing superblock instead of waiting for a format.",
    default: false,
  }).optional(),
  bdev_include: z
    .array(pciAddress)
    .meta({
      description: "NVMe controllers that may be used. Empty: all without mounted file systems.",
      default: [],
      examples: [["0000:81:00.1", "0000:81:00.2"]],
    })
    .optional(),
  bdev_exclude: z
    .array(pciAddress)
    .meta({ description: "NVMe controllers that may not be used, even if included.", default: [] })
    .optional(),
  fault_path: text({
    description: "Fault domain of this host. Absent: what fault_cb prints, or /<host name>.",
    examples: ["/vcdu0/rack1/hostname"],
  }).optional(),
  fault_cb: path({
    description:
      "Program that prints the fault domain of this host. Runs at each start, unless fault_path is set. Only root or the server's user may own and change it.",
    examples: ["./.daos/fd_callback"],
  }).optional(),
  telemetry_port: count(1, MAX_PORT, {
    description:
      "Port on which Prometheus reads metrics, and load balancers whether the server is ready. Absent: none.",
    examples: [9191],
  }).optional(),
  telemetry_address: text({
    description: "Address of this host for telemetry_port. Absent: where the control plane listens.",
    examples: ["192.168.20.1", "::1"],
  }).optional(),
  telemetry_tls: flag({
    description:
      "Serve telemetry_port over HTTPS with the server's certificate. Readers need the CA's certificate, and none of their own.",
    default: false,
  }).optional(),
  hyperthreads: flag({
    description: "Read and ignored, as in release 0.8.0: its engines bind to whole cores.",
    default: false,
  }).optional(),
  modules: text({
    description: "Modules that engines load, comma separated.",
    examples: ["vos,rdb"],
  }).optional(),
  fabric_ifaces: z
    .array(z.string().min(1))
    .meta({
      description: "Interfaces for the engines in turn; one entry serves all. A section's fabric_iface wins.",
      examples: [["qib0", "qib1"]],
    })
    .optional(),
  path: path({ description: WRITTEN }).optional(),
  nvmeshmid: count(0, Number.MAX_SAFE_INTEGER, { description: WRITTEN }).optional(),
  scm_mount_path: path({
    description: "Directory for the storage of engines whose section has no scm_mount.",
    default: "/mnt/daos",
  }).optional(),
  servers: z
    .array(engineSchema)
    .meta({ description: "One section for each engine on this host." })
    .optional(),
});

/** A server file before defaults. */
export type ServerFile = z.infer<typeof serverSchema>;
/** A section of `servers` before defaults. */
export type EngineFile = z.infer<typeof engineSchema>;
/** `failure_detection` before defaults. */
export type FailureDetectionFile = z.infer<typeof failureDetectionSchema>;
/** `system_db` before defaults. */
export type SystemDbFile = z.infer<typeof systemDbSchema>;
