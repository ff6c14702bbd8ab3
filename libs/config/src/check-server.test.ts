import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkServerConfig, type ServerCheck } from "./check-server.ts";
import { formatProblem } from "./problem.ts";
import type { EngineConfig, ServerConfig, ServerOverrides } from "./types.ts";

const cwd = "/opt/daos";
const fixture = (name: string) => readFileSync(join(import.meta.dirname, "..", "fixtures", name), "utf8");
/** As release 0.8.0's own test does it: `sed s/^#//g`. */
const uncommented = () => fixture("daos_server.yml").replace(/^#/gm, "");

function check(text: string, overrides?: ServerOverrides): ServerCheck {
  return checkServerConfig(text, { path: "daos_server.yml", cwd, overrides });
}

/** The lines about errors and warnings, without the file's name. */
function lines(text: string, overrides?: ServerOverrides): readonly string[] {
  return check(text, overrides).problems.map((problem) =>
    formatProblem(problem).replace(/^daos_server\.yml:/, ""),
  );
}

const insecure = {
  allowInsecure: true,
  serverName: "server",
  clientCertDir: "/opt/daos/.daos/clients",
  caCert: "/opt/daos/.daos/daosCA.crt",
  cert: "/opt/daos/.daos/daos_server.crt",
  key: "/opt/daos/.daos/daos_server.key",
};

const defaults: Omit<ServerConfig, "path"> = {
  name: "daos_server",
  accessPoints: [{ host: "localhost", port: 10001 }],
  port: 10001,
  allowInsecureDevices: false,
  transport: { ...insecure, allowInsecure: false },
  systemDb: { kind: "embedded" },
  failureDetection: { leaseSeconds: 3, reportIntervalMs: 5_000, overdueAfterMs: 15_000 },
  socketDir: "/var/run/daos_server",
  nrHugepages: 1024,
  spdkSocket: "/var/tmp/spdk.sock",
  controlLogMask: "INFO",
  controlLogFile: undefined,
  controlLogJson: false,
  auditLogFile: undefined,
  helperLogFile: undefined,
  userName: undefined,
  groupName: undefined,
  engine: "installed",
  recreateSuperblocks: false,
  bdevInclude: [],
  bdevExclude: [],
  faultPath: undefined,
  faultCb: undefined,
  telemetryTls: false,
  hyperthreads: false,
  modules: undefined,
  engines: [],
};

const engine: EngineConfig = {
  index: 0,
  rank: undefined,
  targets: 0,
  nrXsHelpers: 0,
  firstCore: 0,
  provider: "ofi+sockets",
  fabricIface: "eth0",
  fabricIfacePort: 31416,
  pinnedNumaNode: undefined,
  logMask: undefined,
  logFile: undefined,
  envVars: [],
  scm: { class: "ram", mount: "/mnt/daos", sizeGiB: 6 },
  bdev: { class: "nvme", list: [], number: 0, sizeGB: 0 },
  systemName: "daos_server",
  socketDir: "/var/run/daos_server",
  modules: undefined,
};

const SOCKETS_ENV = [
  "DAOS_MD_CAP=1024",
  "CRT_CTX_SHARE_ADDR=0",
  "CRT_TIMEOUT=30",
  "FI_SOCKETS_MAX_CONN_RETRY=1",
  "FI_SOCKETS_CONN_TIMEOUT=2000",
];

describe("checkServerConfig() reads files of release 0.8.0:", () => {
  const example = { host: "example", port: 10001 };
  it.each<[string, Omit<ServerConfig, "path">]>([
    ["daos_server.yml", defaults],
    [
      "daos_server_local.yml",
      {
        ...defaults,
        nrHugepages: 4096,
        controlLogFile: "/tmp/daos_control.log",
        transport: insecure,
        engines: [
          {
            ...engine,
            targets: 1,
            nrXsHelpers: 0,
            logFile: "/tmp/daos_server.log",
            envVars: SOCKETS_ENV,
            scm: { class: "ram", mount: "/mnt/daos", sizeGiB: 4 },
            bdev: { class: "file", list: ["/tmp/daos-bdev"], number: 0, sizeGB: 16 },
          },
        ],
      },
    ],
    [
      "daos_server_psm2.yml",
      {
        ...defaults,
        accessPoints: [example],
        socketDir: "/tmp/daos_psm2",
        nrHugepages: 4096,
        controlLogMask: "DEBUG",
        controlLogFile: "/tmp/daos_control.log",
        engines: [
          {
            ...engine,
            targets: 8,
            nrXsHelpers: 2,
            provider: "ofi+psm2",
            fabricIface: "ib0",
            logMask: "ERR",
            logFile: "/tmp/server.log",
            envVars: ["DAOS_MD_CAP=1024", "CRT_CTX_SHARE_ADDR=0", "CRT_TIMEOUT=30", "CRT_CREDIT_EP_CTX=0"],
            bdev: { class: "nvme", list: ["0000:81:00.0"], number: 0, sizeGB: 0 },
            socketDir: "/tmp/daos_psm2",
          },
        ],
      },
    ],
    [
      "daos_server_sockets.yml",
      {
        ...defaults,
        accessPoints: [example],
        socketDir: "/tmp/daos_sockets",
        nrHugepages: 4096,
        controlLogMask: "DEBUG",
        controlLogFile: "/tmp/daos_control.log",
        engines: [
          {
            ...engine,
            targets: 8,
            nrXsHelpers: 2,
            logMask: "ERR",
            logFile: "/tmp/server.log",
            envVars: SOCKETS_ENV,
            bdev: { class: "nvme", list: ["0000:81:00.0"], number: 0, sizeGB: 0 },
            socketDir: "/tmp/daos_sockets",
          },
        ],
      },
    ],
    [
      "daos_server_unittests.yml",
      {
        ...defaults,
        accessPoints: [example],
        socketDir: "/tmp/daos_sockets",
        controlLogMask: "DEBUG",
        controlLogFile: "/tmp/daos_control.log",
        engines: [
          {
            ...engine,
            targets: 1,
            nrXsHelpers: 0,
            fabricIface: "lo",
            fabricIfacePort: 0,
            logMask: "DEBUG,RPC=ERR,MEM=ERR",
            logFile: "/tmp/server.log",
            envVars: [...SOCKETS_ENV, "DD_SUBSYS=all"],
            scm: { class: "ram", mount: "/mnt/daos", sizeGiB: 1 },
            socketDir: "/tmp/daos_sockets",
          },
        ],
      },
    ],
  ])("%s", (name, expected) => {
    const { config, problems } = check(fixture(name));
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(config).toEqual({ path: "daos_server.yml", ...expected });
  });

  // The expected values are those of 0.8.0's TestConstructedConfig.
  it("the template with all its comments uncommented", () => {
    const shared = {
      provider: "ofi+verbs;ofi_rxm",
      fabricIface: "qib0",
      fabricIfacePort: 20000,
      targets: 20,
      logMask: "WARN",
      systemName: "daos",
      socketDir: "/opt/daos/.daos/daos_server",
    };
    expect(check(uncommented()).config).toEqual({
      ...defaults,
      path: "daos_server.yml",
      name: "daos",
      accessPoints: [{ host: "hostname1", port: 10001 }],
      socketDir: "/opt/daos/.daos/daos_server",
      nrHugepages: 4096,
      controlLogMask: "ERROR",
      controlLogFile: "/tmp/daos_control.log",
      userName: "daosuser",
      groupName: "daosgroup",
      bdevInclude: ["0000:81:00.1", "0000:81:00.2", "0000:81:00.3"],
      bdevExclude: ["0000:81:00.1"],
      faultPath: "/vcdu0/rack1/hostname",
      faultCb: "/opt/daos/.daos/fd_callback",
      hyperthreads: true,
      engines: [
        {
          ...engine,
          ...shared,
          rank: 0,
          nrXsHelpers: 0,
          firstCore: 1,
          pinnedNumaNode: 0,
          logFile: "/tmp/daos_server1.log",
          envVars: ["CRT_TIMEOUT=30"],
          scm: { class: "ram", mount: "/mnt/daos/1", sizeGiB: 16 },
          bdev: { class: "nvme", list: ["0000:81:00.0"], number: 0, sizeGB: 0 },
        },
        {
          ...engine,
          ...shared,
          index: 1,
          rank: 1,
          nrXsHelpers: 1,
          firstCore: 22,
          pinnedNumaNode: 1,
          logFile: "/tmp/daos_server2.log",
          envVars: ["CRT_TIMEOUT=100"],
          scm: { class: "dcpm", mount: "/mnt/daos/2", device: "/dev/pmem0" },
          bdev: { class: "kdev", list: ["/dev/sdc", "/dev/sdd"], number: 0, sizeGB: 0 },
        },
      ],
    });
  });

  it("the uncommented template, with warnings about repeated keys", () => {
    expect(lines(uncommented())).toEqual([
      "127:15: warning: hyperthreads: it has no effect: the engines of release 0.8.0 bind to whole cores; expected no such key",
      "314:22: warning: servers[1].fabric_iface_port: port 20000 on qib0 is also that of servers[0]; expected a port or an interface for each engine",
      "368:16: warning: servers[1].bdev_number: bdev_class kdev does not use it",
      "374:3: warning: servers[1].bdev_class: the key is set here and in line 367; expected one of them; the last one counts",
      "376:3: warning: servers[1].bdev_size: the key is set here and in line 369; expected one of them; the last one counts",
      "376:14: warning: servers[1].bdev_size: bdev_class kdev does not use it",
      "380:3: warning: servers[1].bdev_class: the key is set here and in line 374; expected one of them; the last one counts",
      "381:3: warning: servers[1].bdev_list: the key is set here and in line 375; expected one of them; the last one counts",
    ]);
  });
});

const GOOD = `provider: ofi+sockets
servers:
- fabric_iface: eth0
  scm_mount: /mnt/daos
  scm_class: ram
  scm_size: 6
`;
const TWO = `provider: ofi+sockets
servers:
- fabric_iface: eth0
  targets: 4
  scm_mount: /mnt/0
  scm_class: ram
  scm_size: 6
- fabric_iface: eth1
  first_core: 4
  targets: 4
  scm_mount: /mnt/1
  scm_class: ram
  scm_size: 6
`;

/** Seven levels of anchors, each made of the one before. */
function nest(make: (below: string) => string): string {
  return [..."bcdefgh"].map((name, at) => `x-${name}: &${name} ${make("abcdefg".charAt(at))}\n`).join("");
}

describe("checkServerConfig() reports", () => {
  it.each<[string, string, readonly string[]]>([
    ["nothing", GOOD, []],
    ["nothing about two engines", TWO, []],
    ...["/proc/daos", "/sys", "/dev/daos"].map((mount): [string, string, readonly string[]] => [
      `storage in ${mount}`,
      GOOD.replace("/mnt/daos", mount),
      [
        `4:14: error: servers[0].scm_mount: ${mount} is in a virtual file system of the kernel; expected /mnt/daos, or the like`,
      ],
    ]),
    ["storage in /dev/shm", GOOD.replace("/mnt/daos", "/dev/shm/daos"), []],
    [
      "a mistyped key, and not that the right one is missing",
      GOOD.replace("scm_class", "scm_clas"),
      ['5:3: error: servers[0].scm_clas: unknown key; did you mean "scm_class"?'],
    ],
    [
      "what follows from the value of a mistyped key",
      GOOD.replace("scm_class", "scm_clas").replace("scm_size: 6", "scm_list: [/dev/pmem0]"),
      [
        "3:3: error: servers[0].scm_size: scm_class ram has no size; expected the size of the tmpfs in GiB, at least 1",
        '5:3: error: servers[0].scm_clas: unknown key; did you mean "scm_class"?',
        "6:13: warning: servers[0].scm_list: scm_class ram does not use it; expected no scm_list, or scm_class dcpm",
      ],
    ],
    [
      "a mistyped key with two likely meanings",
      `fabric_ifacs: [eth0]\n${GOOD}`,
      ['1:1: error: fabric_ifacs: unknown key; did you mean "fabric_iface" or "fabric_ifaces"?'],
    ],
    [
      "keys at the wrong level",
      `targets: 4\nallow_insecure: true\n${GOOD}  port: 5\n`,
      [
        "1:1: error: targets: the key does not belong here but to a section of servers",
        "2:1: error: allow_insecure: the key does not belong here but to transport_config",
        "9:3: error: servers[0].port: the key does not belong here but to the top level",
      ],
    ],
    [
      "wrong kinds",
      `port: "10001"\naccess_points: host1\nhyperthreads: 1\ntransport_config: []\n${GOOD}`,
      [
        '1:7: error: port: "10001" is a string; expected a whole number from 1 to 65535',
        '2:16: error: access_points: "host1" is a string; expected a list, as in [first, second]',
        "3:15: error: hyperthreads: 1 is a number; expected true or false",
        "4:19: error: transport_config: [] is a list; expected keys and values, of allow_insecure, server_name, client_cert_dir, ca_cert, crl, cert, key",
      ],
    ],
    [
      "values that are not allowed",
      `port: 70000\ncontrol_log_mask: LOUD\nname: a b\n${GOOD.replace("ram", "rma").replace("6", "-1")}`,
      [
        "1:7: error: port: 70000 is not allowed; expected a whole number from 1 to 65535",
        '2:19: error: control_log_mask: "LOUD" is not allowed; expected one of DEBUG, INFO, WARN, ERROR',
        '3:7: error: name: "a b" is not allowed; expected 1 to 63 characters without white space and slashes',
        '8:14: error: servers[0].scm_class: "rma" is not allowed; expected one of dcpm, ram; did you mean "ram"?',
        "9:13: error: servers[0].scm_size: -1 is not allowed; expected a whole number from 0 to 1048576",
      ],
    ],
    [
      "what a section lacks",
      "servers:\n- targets: 1\n",
      [
        "2:3: error: servers[0].provider: is missing; expected the fabric provider, here or at the top level, as in ofi+sockets",
        "2:3: error: servers[0].fabric_iface: is missing; expected a network interface, here or at the top level, as in eth0",
        "2:3: error: servers[0].scm_mount: is missing; expected the directory of the engine's memory storage, as in /mnt/daos",
        "2:3: error: servers[0].scm_class: is missing; expected dcpm or ram",
      ],
    ],
    [
      "what two sections lack, and nothing that follows from it",
      "provider: p\nservers:\n- {fabric_iface: a, scm_class: ram, scm_size: 1}\n- {fabric_iface: b, scm_class: ram, scm_size: 1}\n",
      [
        "3:3: error: servers[0].scm_mount: is missing; expected the directory of the engine's memory storage, as in /mnt/daos",
        "4:3: error: servers[1].scm_mount: is missing; expected the directory of the engine's memory storage, as in /mnt/daos",
      ],
    ],
    [
      "no engine",
      "name: daos\n",
      [
        "1:1: warning: servers: there is no section of an engine, so no engine will start; expected one section for each engine; make a configuration for this machine with daos-server config generate",
      ],
    ],
    [
      "scm_list with ram",
      GOOD.replace("scm_size: 6", "scm_size: 6\n  scm_list: [/dev/pmem0]"),
      [
        "7:13: warning: servers[0].scm_list: scm_class ram does not use it; expected no scm_list, or scm_class dcpm",
      ],
    ],
    [
      "scm_size with dcpm, and no device",
      GOOD.replace("class: ram", "class: dcpm"),
      [
        "3:3: error: servers[0].scm_list: scm_class dcpm with 0 devices; expected exactly one, as in [/dev/pmem0]",
        "6:13: warning: servers[0].scm_size: scm_class dcpm does not use it: the size is the namespace's; expected no scm_size, or scm_class ram",
      ],
    ],
    [
      "ports that are nearer than an engine may take",
      TWO.replace("eth1", "eth0")
        .replaceAll("  scm_class", "  fabric_iface_port: 31416\n  scm_class")
        .replace(/31416(\n {2}scm_class.*\n {2}scm_size.*\n)$/, "31419$1"),
      [
        "13:22: warning: servers[1].fabric_iface_port: port 31419 on eth0 is too near to 31416 of servers[0]: an engine may take its port and the next three; expected 31420 or more",
      ],
    ],
    [
      "a port at the end",
      `${GOOD}  fabric_iface_port: 65533\n`,
      [
        "7:22: warning: servers[0].fabric_iface_port: 65533 has no three ports after it, which an engine may take too; expected 65532 or less",
      ],
    ],
    ["no port at the end", `${GOOD}  fabric_iface_port: 65532\n`, []],
    [
      "storage inside other storage",
      TWO.replace("/mnt/1", "/mnt/0/1"),
      [
        "11:14: error: servers[1].scm_mount: /mnt/0/1 lies in /mnt/0 of servers[0]; expected directories beside each other, such as /mnt/daos0 and /mnt/daos1",
      ],
    ],
    [
      "storage around other storage",
      TWO.replace("/mnt/1", "/mnt"),
      [
        "11:14: error: servers[1].scm_mount: /mnt contains /mnt/0 of servers[0]; expected directories beside each other, such as /mnt/daos0 and /mnt/daos1",
      ],
    ],
    ["nothing about storage beside other storage", TWO.replace("/mnt/1", "/mnt/00"), []],
    [
      "paths of sockets that may become too long",
      `socket_dir: /${"é".repeat(40)}x\n${GOOD}`,
      [
        "1:13: warning: socket_dir: the paths of its sockets can have 110 bytes, the kernel takes 107; expected a directory of at most 79 bytes",
      ],
    ],
    [
      "paths of sockets that are too long",
      `socket_dir: /${"a".repeat(90)}\n${GOOD}`,
      [
        "1:13: error: socket_dir: the paths of its sockets can have 119 bytes, the kernel takes 107; expected a directory of at most 79 bytes",
      ],
    ],
    [
      "hyperthreads",
      `hyperthreads: true\n${GOOD}`,
      [
        "1:15: warning: hyperthreads: it has no effect: the engines of release 0.8.0 bind to whole cores; expected no such key",
      ],
    ],
    [
      "a device that is no path",
      GOOD.replace("class: ram\n  scm_size: 6", "class: dcpm\n  scm_list: [pmem0]"),
      [
        "6:14: error: servers[0].scm_list[0]: pmem0 is neither a path nor the uuid of a namespace; expected a device such as /dev/pmem0, or uuid: and the namespace's uuid",
      ],
    ],
    [
      "too many devices",
      GOOD.replace("class: ram\n  scm_size: 6", "class: dcpm\n  scm_list: [/dev/pmem0, /dev/pmem1]"),
      [
        "6:13: error: servers[0].scm_list: scm_class dcpm with 2 devices; expected exactly one, as in [/dev/pmem0]",
      ],
    ],
    [
      "a tmpfs without a size",
      GOOD.replace("  scm_size: 6\n", ""),
      [
        "3:3: error: servers[0].scm_size: scm_class ram has no size; expected the size of the tmpfs in GiB, at least 1",
      ],
    ],
    [
      "block devices that do not go with their class",
      `${GOOD}  bdev_list: [/dev/sdc, "0000:81:00.0", "0000:81:00.0"]\n`,
      [
        '7:15: error: servers[0].bdev_list[0]: "/dev/sdc" is not the address of an NVMe controller; expected a PCI address such as "0000:81:00.0", or another bdev_class',
        "7:41: error: servers[0].bdev_list[2]: 0000:81:00.0 is listed twice; expected each device once",
      ],
    ],
    [
      "emulated devices without their sizes",
      `${GOOD}  bdev_class: malloc\n`,
      [
        "3:3: error: servers[0].bdev_number: bdev_class malloc needs it; expected the number of devices, at least 1",
        "3:3: error: servers[0].bdev_size: bdev_class malloc needs it; expected the size of each device in GB, at least 1",
      ],
    ],
    [
      "one mount point for two engines",
      TWO.replace("/mnt/1", "/mnt/x/../0/"),
      [
        "11:14: error: servers[1].scm_mount: /mnt/0 is also that of servers[0]; expected a directory for each engine",
      ],
    ],
    [
      "one core for two engines",
      TWO.replace("first_core: 4", "first_core: 3"),
      [
        "9:15: error: servers[1].first_core: cores 3 to 6 overlap with 0 to 3 of servers[0]; expected first_core 4, or fewer targets",
      ],
    ],
    [
      "one port for two engines",
      TWO.replace("eth1", "eth0\n  fabric_iface_port: 20000").replace(
        "eth0\n",
        "eth0\n  fabric_iface_port: 20000\n",
      ),
      [
        "10:22: error: servers[1].fabric_iface_port: port 20000 on eth0 is also that of servers[0]; expected a port or an interface for each engine",
      ],
    ],
    [
      "one device for two engines",
      TWO.replaceAll("scm_size: 6", 'scm_size: 6\n  bdev_list: ["0000:81:00.0"]'),
      [
        "15:15: error: servers[1].bdev_list[0]: 0000:81:00.0 is also that of servers[0]; expected a device for one engine only",
      ],
    ],
    [
      "one rank for two engines",
      TWO.replaceAll("  targets", "  rank: 3\n  targets"),
      ["11:9: error: servers[1].rank: 3 is also that of servers[0]; expected another rank, or none"],
    ],
    [
      "addresses and variables",
      `access_points: [host1, "host2:0", "a b"]\n${GOOD}  env_vars: [A=1, B]\n`,
      [
        '1:24: error: access_points[1]: "host2:0" is not an address: "0" is not a port from 1 to 65535; expected host or host:port',
        '1:35: error: access_points[2]: "a b" is not an address: "a b" is not a host name; expected host or host:port',
        '8:19: error: servers[0].env_vars[1]: "B" is not allowed; expected NAME=value, as in CRT_TIMEOUT=30',
      ],
    ],
    [
      "addresses of no host",
      `access_points: ["0.0.0.0", "[::]:5"]\nallow_insecure_devices: false\n${GOOD}`,
      [
        "1:16: warning: access_points: without etcd only the first of 2 access points leads, and there is no leader while it is down; expected one access point, or system_db with backend etcd",
        "1:17: error: access_points[0]: 0.0.0.0 is no address of a host: it stands for all addresses; expected the name or address at which the other hosts find this access point",
        "1:28: error: access_points[1]: :: is no address of a host: it stands for all addresses; expected the name or address at which the other hosts find this access point",
      ],
    ],
    [
      "a port and a log of the server for an engine",
      `port: 31415\ncontrol_log_file: /var/log/daos.log\n${GOOD}  fabric_iface_port: 31415\n  log_file: /var/log/daos.log\n`,
      [
        "9:22: warning: servers[0].fabric_iface_port: port 31415 on eth0 is also the server's port; expected 31416 or more, or 31411 or less",
        "10:13: warning: servers[0].log_file: control_log_file is /var/log/daos.log too; expected a file for each engine",
      ],
    ],
    [
      "more helpers than there are",
      `${GOOD}  nr_xs_helpers: 4\n`,
      ["7:18: warning: servers[0].nr_xs_helpers: 4 is taken as 2; expected 0, 1 or 2"],
    ],
    [
      "no YAML",
      "a: [1",
      [
        "1:6: error: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      ],
    ],
    [
      "no keys",
      "- a",
      ["1:1: error: - a is not a configuration; expected keys and values, as in name: daos_server"],
    ],
  ])("%s", (_, text, expected) => {
    expect(lines(text)).toEqual(expected);
  });

  it.each([
    [
      "merged",
      `x-a: &a {targets: 1}\n${nest((below) => `{<<: [${`*${below},`.repeat(30)}]}`)}servers: [*h]\n`,
    ],
    ["listed", `x-a: &a {env_vars: [${"A=1,".repeat(200)}]}\nservers: [${"*a,".repeat(900)}]\n`],
  ])("aliases that expand beyond the limit: %s", (_, text) => {
    expect(lines(text).filter((line) => line.includes("the file expands to more than"))).toHaveLength(1);
  });

  it("each key of a configuration for DAOS 2.x with its replacement", () => {
    expect(
      lines(`mgmt_svc_replicas: [host1]
telemetry_config: {}
engines:
- targets: 4
  storage:
  - class: ram
    scm_mount: /mnt/daos
  - class: nvme
    bdev_roles: [data]
`),
    ).toEqual([
      "1:1: error: mgmt_svc_replicas: a key of DAOS 2.x, here it is access_points",
      "2:1: error: telemetry_config: a key of DAOS 2.x, unsupported here",
      "3:1: error: engines: a key of DAOS 2.x, here it is servers",
      "5:3: error: engines[0].storage: a key of DAOS 2.x, here it is scm_* and bdev_* (they stand in the section itself, one memory and one block tier)",
      "6:5: error: engines[0].storage[0].class: a key of DAOS 2.x, here it is scm_class or bdev_class (scm_class for dcpm and ram, bdev_class for the others)",
      "7:5: error: engines[0].storage[0].scm_mount: a key of DAOS 2.x, here it is scm_mount (in the section itself)",
      "8:5: error: engines[0].storage[1].class: a key of DAOS 2.x, here it is scm_class or bdev_class (scm_class for dcpm and ram, bdev_class for the others)",
      "9:5: error: engines[0].storage[1].bdev_roles: a key of DAOS 2.x, unsupported here (block devices hold data only)",
    ]);
  });
});

describe("checkServerConfig() reads what release 0.8.0's YAML reader accepts", () => {
  it.each<[string, string, Partial<ServerConfig>]>([
    [
      "booleans of YAML 1.1",
      `hyperthreads: yes\ncontrol_log_json: Off\n${GOOD}`,
      { hyperthreads: true, controlLogJson: false },
    ],
    ["a number as a name", `name: 0123\n${GOOD}`, { name: "0123" }],
    [
      "octal and grouped numbers",
      `port: 023421\nnr_hugepages: 4_096\n${GOOD}`,
      { port: 10001, nrHugepages: 4096 },
    ],
    ["null for a default", `port:\nname: ~\n${GOOD}`, { port: 10001, name: "daos_server" }],
    ["a repeated key, the last one", `port: 1\nport: 2\n${GOOD}`, { port: 2 }],
    ["log levels in any case", `control_log_mask: debug\n${GOOD}`, { controlLogMask: "DEBUG" }],
  ])("%s", (_, text, expected) => {
    expect(check(text).config).toMatchObject(expected);
  });

  it("anchors and merged sections", () => {
    const { config } = check(`x-engine: &engine
  targets: 4
  scm_class: ram
  scm_size: 2
provider: ofi+sockets
servers:
- <<: *engine
  targets: 2
  fabric_iface: eth0
  scm_mount: /mnt/0
- <<: [*engine]
  first_core: 4
  fabric_iface: eth1
  scm_mount: /mnt/1
`);
    expect(config?.engines.map(({ targets, scm }) => [targets, scm.class])).toEqual([
      [2, "ram"],
      [4, "ram"],
    ]);
  });
});

describe("checkServerConfig()", () => {
  it("copies top-level keys to the sections that do not set them", () => {
    const { config } = check(`name: sys
socket_dir: run
modules: vos
provider: ofi+psm2
fabric_iface_port: 20000
fabric_ifaces: [ib0, ib1]
scm_mount_path: /mnt/daos
servers:
- {scm_class: ram, scm_size: 1}
- {scm_class: ram, scm_size: 1, provider: ofi+tcp, fabric_iface: eth0, fabric_iface_port: 3, targets: 2}
`);
    expect(config?.engines).toMatchObject([
      { provider: "ofi+psm2", fabricIface: "ib0", fabricIfacePort: 20000, scm: { mount: "/mnt/daos/0" } },
      { provider: "ofi+tcp", fabricIface: "eth0", fabricIfacePort: 3, scm: { mount: "/mnt/daos/1" } },
    ]);
    for (const section of config?.engines ?? []) {
      expect(section).toMatchObject({ systemName: "sys", socketDir: "/opt/daos/run", modules: "vos" });
    }
  });

  it("prefers the command line to the file", () => {
    const { config } = check(`name: a\nport: 1\n${GOOD}`, {
      port: 2,
      storage: "mnt",
      modules: "m",
      targets: 3,
      xsHelpers: 1,
      firstCore: 5,
      group: "g",
      socketDir: "s",
      insecure: true,
      recreateSuperblocks: true,
    });
    expect(config).toMatchObject({
      name: "g",
      port: 2,
      accessPoints: [{ host: "localhost", port: 2 }],
      socketDir: "/opt/daos/s",
      transport: { allowInsecure: true },
      recreateSuperblocks: true,
      modules: "m",
      engines: [
        {
          systemName: "g",
          targets: 3,
          nrXsHelpers: 1,
          firstCore: 5,
          modules: "m",
          scm: { mount: "/opt/daos/mnt" },
        },
      ],
    });
  });

  it("refuses one --storage for two engines", () => {
    expect(lines(TWO, { storage: "/mnt/one" })).toEqual([
      "11:14: error: servers[1].scm_mount: /mnt/one is also that of servers[0]; expected a directory for each engine",
    ]);
  });

  it("gives access points without a port the server's port", () => {
    expect(check(`port: 7\naccess_points: [a, "b:8", "[::1]:9"]\n${GOOD}`).config?.accessPoints).toEqual([
      { host: "a", port: 7 },
      { host: "b", port: 8 },
      { host: "::1", port: 9 },
    ]);
  });
});

describe("failure_detection:", () => {
  const times = (rest: string) => check(`${GOOD}failure_detection: {${rest}}`);

  it("checkServerConfig() gives the defaults when it is absent", () => {
    expect(check(GOOD).config?.failureDetection).toEqual({
      leaseSeconds: 3,
      reportIntervalMs: 5_000,
      overdueAfterMs: 15_000,
    });
  });

  it("checkServerConfig() reads times in seconds", () => {
    const { config } = times("lease_duration: 10, report_interval: 7, overdue_after: 30");
    expect(config?.failureDetection).toEqual({
      leaseSeconds: 10,
      reportIntervalMs: 7_000,
      overdueAfterMs: 30_000,
    });
  });

  it.each([
    ["lease_duration: 2", "failure_detection.lease_duration", /2/],
    ["lease_duration: 61", "failure_detection.lease_duration", /61/],
    ["report_interval: 0", "failure_detection.report_interval", /0/],
    ["overdue_after: 601", "failure_detection.overdue_after", /601/],
    ["overdue_after: 10", "failure_detection.overdue_after", /every 5 s would be overdue after 10 s/],
    ["report_interval: 8", "failure_detection.report_interval", /every 8 s would be overdue after 15 s/],
  ])("checkServerConfig() refuses %s", (rest, key, message) => {
    const { config, problems } = times(rest);
    expect(config).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({ severity: "error", key, message: expect.stringMatching(message) }),
    ]);
  });
});

describe("checkServerConfig(), for system_db,", () => {
  const etcd = (rest: string) => `${GOOD}system_db:\n  backend: etcd\n${rest}`;
  const systemDb = (text: string) => check(text).config?.systemDb;

  it("is embedded by default", () => {
    expect(systemDb(GOOD)).toEqual({ kind: "embedded" });
    expect(systemDb(`${GOOD}system_db: {}`)).toEqual({ kind: "embedded" });
  });

  it("reads the endpoints of etcd and its files, relative to the directory", () => {
    const text = etcd(
      '  endpoints: ["https://etcd1:2379", "https://10.0.0.2:2379/", "https://[::1]:2379"]\n' +
        "  ca_cert: etcd/ca.crt\n  cert: /etc/c.crt\n  key: c.key\n",
    );
    expect(lines(text)).toEqual([]);
    expect(systemDb(text)).toEqual({
      kind: "etcd",
      endpoints: ["https://etcd1:2379", "https://10.0.0.2:2379", "https://[::1]:2379"],
      caCert: "/opt/daos/etcd/ca.crt",
      cert: "/etc/c.crt",
      key: "/opt/daos/c.key",
    });
  });

  const place = (problem: string) => problem.replace(/^\d+:\d+: /, "");

  it.each([
    [
      "no endpoints",
      "",
      "error: system_db.endpoints: backend etcd has no endpoint; expected one at least: http://host:port or https://host:port, as in https://etcd1:2379",
    ],
    [
      "an empty list",
      "  endpoints: []\n",
      "error: system_db.endpoints: backend etcd has no endpoint; expected one at least: http://host:port or https://host:port, as in https://etcd1:2379",
    ],
    [
      "no scheme",
      '  endpoints: ["etcd1:2379"]\n',
      'error: system_db.endpoints[0]: "etcd1:2379" is not an endpoint of etcd: it does not begin with http:// or https://; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "no port",
      '  endpoints: ["https://etcd1"]\n',
      'error: system_db.endpoints[0]: "https://etcd1" is not an endpoint of etcd: it does not end in a port; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "an invalid port",
      '  endpoints: ["https://e:70000"]\n',
      'error: system_db.endpoints[0]: "https://e:70000" is not an endpoint of etcd: 70000 is not a port from 1 to 65535; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "an invalid IPv6 address",
      '  endpoints: ["https://[::g]:1"]\n',
      'error: system_db.endpoints[0]: "https://[::g]:1" is not an endpoint of etcd: [::g] is not an IPv6 address; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "a password",
      '  endpoints: ["https://u:p@e:1"]\n',
      'error: system_db.endpoints[0]: "https://[redacted]@e:1" is not an endpoint of etcd: it has a user; only certificates are supported; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "a password that is not encoded",
      '  endpoints: ["https://u:p/p@e:1"]\n',
      'error: system_db.endpoints[0]: "https://[redacted]@e:1" is not an endpoint of etcd: it has more than a host and a port; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "a path",
      '  endpoints: ["https://e/v3:1"]\n',
      'error: system_db.endpoints[0]: "https://e/v3:1" is not an endpoint of etcd: it has more than a host and a port; expected http://host:port or https://host:port, as in https://etcd1:2379',
    ],
    [
      "an endpoint twice",
      '  endpoints: ["https://e:1", "https://e:1/"]\n',
      "warning: system_db.endpoints[1]: https://e:1 is listed twice",
    ],
    [
      "a certificate without a key",
      '  endpoints: ["https://e:1"]\n  cert: c\n',
      "error: system_db.key: is missing, and cert is useless without it; expected both cert and key, or neither",
    ],
    [
      "a key without a certificate",
      '  endpoints: ["https://e:1"]\n  key: c\n',
      "error: system_db.cert: is missing, and key is useless without it; expected both cert and key, or neither",
    ],
    [
      "a CA for plain text",
      '  endpoints: ["http://localhost:1"]\n  ca_cert: c\n',
      "warning: system_db.ca_cert: is not used: no endpoint begins with https://",
    ],
    [
      "plain text to another host",
      '  endpoints: ["http://etcd1:1"]\n',
      "warning: system_db.endpoints: http://etcd1:1 is used in plain text: any client that reaches it can change the members of the system; expected https://, with ca_cert, cert and key",
    ],
    [
      "an endpoint that is not text",
      "  endpoints: [[a]]\n",
      "error: system_db.endpoints[0]: [a] is a list; expected text that is not empty",
    ],
    [
      "an unknown key",
      '  endpoints: ["https://e:1"]\n  endpoint: x\n',
      'error: system_db.endpoint: unknown key; did you mean "endpoints"?',
    ],
  ])("reports a problem of %s", (_name, rest, expected) => {
    expect(lines(etcd(rest)).map(place)).toEqual([expected]);
  });

  it("reports problems with their place", () => {
    const text = `system_db:\n  backend: etcd\n  endpoints: [https://a:1, b]\n${GOOD}`;
    expect(lines(text)[0]).toMatch(/^3:28: error: system_db\.endpoints\[1\]: "b" is not an endpoint/);
  });

  it("warns about plain text only when the server uses certificates", () => {
    const text = `${etcd('  endpoints: ["http://etcd1:1"]\n')}transport_config:\n  allow_insecure: true\n`;
    expect(lines(text)).toEqual([]);
  });

  it("warns about several access points without etcd, and about endpoints with embedded", () => {
    expect(lines(`access_points: [a, b, c]\n${GOOD}`)).toEqual([
      "1:16: warning: access_points: without etcd only the first of 3 access points leads, and there is no leader while it is down; expected one access point, or system_db with backend etcd",
    ]);
    expect(lines(`access_points: [a, b, c]\n${etcd('  endpoints: ["https://e:1"]\n')}`)).toEqual([]);
    expect(lines(`system_db:\n  endpoints: ["https://e:1"]\n${GOOD}`)).toEqual([
      "2:14: warning: system_db.endpoints: backend embedded does not use it; expected backend: etcd with it",
    ]);
  });

  it("reports one problem for an unknown backend", () => {
    expect(
      lines(`access_points: [a, b]\n${etcd("  endpoints: [x]\n").replace("etcd", "raft")}`).map(place),
    ).toEqual(['error: system_db.backend: "raft" is not allowed; expected one of embedded, etcd']);
  });
});

describe("listen_address", () => {
  const insecure = "transport_config:\n  allow_insecure: true\nservers: []\n";
  const about = (text: string) => lines(text).filter((line) => line.includes("listen_address"));

  it("checkServerConfig() warns when a host without certificates has an access point in the network and no address", () => {
    expect(about(`access_points: [ap-1]\n${insecure}`)).toEqual([
      expect.stringMatching(
        /warning: listen_address: without it .* port 10001 .* is an administrator; expected the address/,
      ),
    ]);
  });

  it.each([
    ["the address is given", `listen_address: 10.0.0.5\naccess_points: [ap-1]\n${insecure}`],
    ["the access points are on this machine", `access_points: ["localhost", "127.0.0.2:10002"]\n${insecure}`],
    ["there are certificates", "access_points: [ap-1]\nservers: []\n"],
  ])("checkServerConfig() does not warn when %s", (_, text) => {
    expect(about(text)).toEqual([]);
  });

  it("checkServerConfig() refuses a name as the address to listen on", () => {
    expect(about("listen_address: node1\nservers: []\n")).toEqual([
      expect.stringContaining('error: listen_address: "node1" is not an IP address'),
    ]);
  });
});

describe("telemetry_port", () => {
  const about = (text: string) =>
    lines(`${text}\nservers: []\n`).filter((line) => line.includes("telemetry_"));

  it.each([
    ["telemetry_port: 9191\ntelemetry_address: ::1\ntelemetry_tls: true", []],
    [
      "telemetry_port: 9191\ntelemetry_address: node1",
      ['error: telemetry_address: "node1" is not an IP address'],
    ],
    [
      "telemetry_port: 9191\ntelemetry_tls: true\ntransport_config: {allow_insecure: true}",
      ["error: telemetry_tls: it needs the server's certificate, and allow_insecure uses none"],
    ],
    ["telemetry_tls: true", ["warning: telemetry_tls: it has no effect without telemetry_port"]],
    ["telemetry_address: 10.0.0.1", ["warning: telemetry_address: it has no effect without telemetry_port"]],
    ["telemetry_tls: false", []],
  ])("checkServerConfig() on %j", (text, expected) => {
    expect(about(text)).toEqual(expected.map((message) => expect.stringContaining(message)));
  });
});
