import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkServerConfig } from "./check-server.ts";
import { listKeys } from "./explain.ts";
import { toServerFile } from "./render.ts";
import { serverSchema } from "./server-schema.ts";
import { LATER_KEYS } from "./unknown-keys.ts";

/** Every key of the file once at least, with a value that is not its default. A new key goes in here. */
const EVERY_KEY = `
name: other
access_points: [192.168.1.1:10002, 192.168.1.2:10002, 192.168.1.3:10002]
port: 10002
listen_address: 192.168.1.1
allow_insecure_devices: true
transport_config:
  allow_insecure: true
  server_name: node
  client_cert_dir: /c/clients
  ca_cert: /c/ca.crt
  crl: /c/ca.crl
  cert: /c/node.crt
  key: /c/node.key
system_db:
  backend: etcd
  endpoints: [https://etcd1:2379]
  ca_cert: /c/etcd.crt
  cert: /c/etcd-client.crt
  key: /c/etcd-client.key
failure_detection: {lease_duration: 6, report_interval: 7, overdue_after: 50}
socket_dir: /s
nr_hugepages: 512
spdk_socket: /s/spdk.sock
control_log_mask: DEBUG
control_log_file: /l/control.log
control_log_json: true
audit_log_file: /l/audit.log
helper_log_file: /l/helper.log
user_name: daos
group_name: daos
engine: emulated
recreate_superblocks: true
bdev_include: ["0000:81:00.1", "0000:82:00.0"]
bdev_exclude: ["0000:81:00.2"]
fault_path: /rack1/node
fault_cb: /c/fd
telemetry_port: 9191
telemetry_address: 192.168.1.1
telemetry_tls: true
hyperthreads: true
modules: vos
servers:
- rank: 3
  targets: 2
  nr_xs_helpers: 1
  first_core: 4
  provider: ofi+sockets
  fabric_iface: eth0
  fabric_iface_port: 31416
  pinned_numa_node: 1
  log_mask: DEBUG
  log_file: /l/engine0.log
  env_vars: [CRT_TIMEOUT=30]
  scm_mount: /mnt/0
  scm_class: ram
  scm_size: 4
  bdev_class: malloc
  bdev_number: 2
  bdev_size: 3
- first_core: 40
  provider: ofi+sockets
  fabric_iface: eth1
  fabric_iface_port: 31516
  log_file: /l/engine1.log
  scm_mount: /mnt/1
  scm_class: dcpm
  scm_list: [/dev/pmem0]
  bdev_class: nvme
  bdev_list: ["0000:81:00.1"]
`;

/** Sections take these from the top level, or the other way round; the configuration has them where they count. */
const ELSEWHERE = ["provider", "fabric_iface", "fabric_iface_port", "fabric_ifaces", "scm_mount_path"];
/** Written by release 0.8.0 into its active configuration, and not used. */
const NOT_USED = ["path", "nvmeshmid", "servers[].name", "servers[].socket_dir", "servers[].modules"];

/** The top level of release 0.8.0's file, with the keys of its fabric section. */
const ORIGINAL_KEYS = `port transport_config servers bdev_include bdev_exclude nr_hugepages control_log_mask
  control_log_file control_log_json helper_log_file user_name group_name recreate_superblocks name socket_dir provider
  fabric_iface fabric_iface_port modules access_points fault_path fault_cb fabric_ifaces scm_mount_path hyperthreads
  path nvmeshmid`.split(/\s+/);

describe("checkServerConfig(), for every key of the server's file,", () => {
  const file = parse(EVERY_KEY) as Record<string, unknown>;
  // The metrics cannot have TLS without certificates, and only without them are devices open to all.
  const { config, problems } = checkServerConfig(
    EVERY_KEY.replace("telemetry_tls: true", "telemetry_tls: false"),
    { path: "/every.yml", cwd: "/" },
  );

  it("has a value in the sample of this test, or a named exception", () => {
    const present = listKeys("server")
      .map(({ key }) => key)
      .filter((key) => valuesAt(file, key).length > 0 || ELSEWHERE.includes(key) || NOT_USED.includes(key));
    expect(present).toEqual(listKeys("server").map(({ key }) => key));
  });

  it("passes it to the configuration, and renderServerConfig() writes it", () => {
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(config === undefined ? undefined : { ...toServerFile(config), telemetry_tls: true }).toMatchObject(
      file,
    );
  });

  it("lists the keys that release 0.8.0 does not know in LATER_KEYS", () => {
    const later = Object.keys(serverSchema.shape).filter((key) => !ORIGINAL_KEYS.includes(key));
    expect([...LATER_KEYS].sort()).toEqual(later.sort());
  });
});

/** The values at `servers[].rank` or `transport_config.key`, of all sections. */
function valuesAt(value: unknown, key: string): readonly unknown[] {
  return key.split(".").reduce<readonly unknown[]>(
    (values, step) =>
      values
        .map((each) => (each as Record<string, unknown>)[step.replace("[]", "")])
        .filter((each) => each !== undefined)
        .flatMap((each) => (step.endsWith("[]") ? (each as unknown[]) : [each])),
    [value],
  );
}
