import { isIP } from "node:net";
import { resolve } from "node:path";
import { countOf } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";
import { DEFAULT_NAME, DEFAULT_PORT } from "./defaults.ts";
import { readAddresses } from "./parse-address.ts";
import { type CertificatePlaces, placesOf080 } from "./places.ts";
import { type Problem, sortProblems, withoutSecrets } from "./problem.ts";
import { readFailureDetection } from "./read-failure-detection.ts";
import { readSystemDb } from "./read-system-db.ts";
import { type Position, readYaml } from "./read-yaml.ts";
import type { Report } from "./report.ts";
import { type EngineFile, isPciAddress, type ServerFile, serverSchema } from "./server-schema.ts";
import { findSharing } from "./sharing.ts";
import type { TransportFile } from "./transport-schema.ts";
import type {
  BdevConfig,
  EngineConfig,
  ScmConfig,
  ServerConfig,
  ServerOverrides,
  TransportConfig,
} from "./types.ts";
import { validate } from "./validate.ts";
import { validateOverrides } from "./validate-overrides.ts";

const NAMESPACE_UUID = /^uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Maximum length of a socket's path, bytes. @see man 7 unix */
const MAX_SOCKET_PATH = 107;

/** No data can be stored there, except in /dev/shm, which is a tmpfs. */
const KERNELS_OWN = /^\/(?:proc|sys|dev)(?:\/|$)/;
const MAX_HELPERS = 2;

export interface CheckServerOptions {
  /** The file, for the problems and for the result's `path`. */
  readonly path: string;
  readonly overrides?: ServerOverrides | undefined;
  /** The base of relative paths. */
  readonly cwd: string;
  /** The certificates that the file does not name; where release 0.8.0 looks for them by default. */
  readonly certificates?: CertificatePlaces | undefined;
}

/** What a check found; `config` is there unless there is an error. */
export interface ServerCheck {
  readonly config: ServerConfig | undefined;
  /** The parts that could be parsed, despite errors; missing text is empty. Only for further checks. */
  readonly draft: ServerConfig | undefined;
  readonly problems: readonly Problem[];
  /** Where the value of a key such as `servers[0].provider` stands: in the section, else at the top level. */
  positionOf(key: string): Position | undefined;
}

/**
 * Reads the text of a server configuration: defaults, command line, top-level keys handed down to the sections. Reports
 * every problem that does not depend on the machine. Never throws.
 */
export function checkServerConfig(text: string, options: CheckServerOptions): ServerCheck {
  const { path, overrides = {}, cwd, certificates = placesOf080("server", cwd) } = options;
  const reading = readYaml(text, path, serverSchema, "server");
  const problems: Problem[] = [
    ...reading.problems,
    ...validate(reading, path, serverSchema),
    ...validateOverrides(overrides),
  ];
  const report: Report = (severity, key, message, expected) => {
    problems.push({ severity, file: path, ...reading.positionOf(key), key, message, expected });
  };
  const file = reading.data as ServerFile;
  const refused = new Set([...problems.map(({ key }) => key), ...reading.meant]);
  const builder = new Builder({ file, overrides, path, cwd, certificates, report, refused });
  const draft = reading.readable ? builder.build() : undefined;
  const valid = !problems.some(({ severity }) => severity === "error");
  return {
    config: valid ? draft : undefined,
    draft,
    problems: sortProblems(problems.map(withoutSecrets)),
    positionOf: (key) => {
      const inherited = key.replace(/^servers\[\d+\]\./, "");
      return reading.exactPositionOf(key) ?? reading.exactPositionOf(inherited) ?? reading.positionOf(key);
    },
  };
}

/** Merges file, command line and defaults. Refused values count as absent. */
class Builder {
  readonly #file: ServerFile;
  readonly #overrides: ServerOverrides;
  readonly #path: string;
  readonly #cwd: string;
  readonly #certificates: CertificatePlaces;
  readonly #report: Report;
  /** Keys that already have a problem; no second one is reported. */
  readonly #refused: ReadonlySet<string>;

  constructor(given: {
    readonly file: ServerFile;
    readonly overrides: ServerOverrides;
    readonly path: string;
    readonly cwd: string;
    readonly certificates: CertificatePlaces;
    readonly report: Report;
    readonly refused: ReadonlySet<string>;
  }) {
    this.#file = given.file;
    this.#overrides = given.overrides;
    this.#path = given.path;
    this.#cwd = given.cwd;
    this.#certificates = given.certificates;
    this.#report = given.report;
    this.#refused = given.refused;
  }

  build(): ServerConfig {
    const file = this.#file;
    const overrides = this.#overrides;
    const port = overrides.port ?? file.port ?? DEFAULT_PORT;
    const name = overrides.group ?? file.name ?? DEFAULT_NAME;
    const modules = overrides.modules ?? file.modules;
    const socketDir = this.#absolute(overrides.socketDir ?? file.socket_dir ?? "/var/run/daos_server");
    this.#socketPaths(socketDir);
    const sections = file.servers ?? [];
    this.#checkTopLevel(file, port);
    this.#telemetry(file);
    const engines = sections.map((section, index) =>
      this.#engine(section ?? {}, index, { name, modules, socketDir }),
    );
    findSharing(engines, this.#report, {
      hasFirstCore: (index) => (overrides.firstCore ?? sections[index]?.first_core) !== undefined,
      serverPorts: [
        ["port", port],
        ...(file.telemetry_port === undefined ? [] : [["telemetry_port", file.telemetry_port] as const]),
      ],
      serverLogs: (["control_log_file", "audit_log_file", "helper_log_file"] as const).flatMap((key) => {
        const path = this.#optionalPath(file[key]);
        return path === undefined ? [] : [[key, path] as const];
      }),
    });
    const accessPoints = this.#accessPoints(port);
    const transport = this.#transport(file.transport_config ?? {}, overrides.insecure);
    return {
      path: this.#path,
      name,
      accessPoints,
      port,
      listenAddress: this.#listenAddress(port, accessPoints, transport),
      allowInsecureDevices: file.allow_insecure_devices ?? false,
      transport,
      systemDb: readSystemDb(file.system_db ?? {}, this.#report, {
        accessPoints: accessPoints.length,
        insecure: transport.allowInsecure,
        absolute: (path) => this.#absolute(path),
        isRefused: (key) => this.#refused.has(key),
      }),
      failureDetection: readFailureDetection(file.failure_detection ?? {}, this.#report),
      socketDir,
      nrHugepages: file.nr_hugepages ?? 1024,
      spdkSocket: this.#absolute(file.spdk_socket ?? "/var/tmp/spdk.sock"),
      controlLogMask: file.control_log_mask ?? "INFO",
      controlLogFile: this.#optionalPath(file.control_log_file),
      controlLogJson: file.control_log_json ?? false,
      auditLogFile: this.#optionalPath(file.audit_log_file),
      helperLogFile: this.#optionalPath(file.helper_log_file),
      userName: file.user_name,
      groupName: file.group_name,
      engine: overrides.engine ?? file.engine ?? "installed",
      recreateSuperblocks: overrides.recreateSuperblocks ?? file.recreate_superblocks ?? false,
      bdevInclude: file.bdev_include ?? [],
      bdevExclude: file.bdev_exclude ?? [],
      faultPath: file.fault_path,
      faultCb: this.#optionalPath(file.fault_cb),
      telemetryPort: file.telemetry_port,
      telemetryAddress: file.telemetry_address,
      telemetryTls: file.telemetry_tls ?? false,
      hyperthreads: file.hyperthreads ?? false,
      modules,
      engines,
    };
  }

  /** Reports keys that cannot be as they are, or have no effect. */
  #checkTopLevel(file: ServerFile, port: number): void {
    if ((file.servers ?? []).length === 0 && !this.#refused.has("servers") && !this.#refused.has("engines")) {
      this.#report(
        "warning",
        "servers",
        "there is no section of an engine, so no engine will start",
        "one section for each engine; make a configuration for this machine with daos-server config generate",
      );
    }
    if (file.telemetry_port === port) {
      this.#report(
        "error",
        "telemetry_port",
        `${port} is also the port of the server itself`,
        "another port",
      );
    }
    if (file.control_log_mask === "WARN") {
      this.#report(
        "note",
        "control_log_mask",
        "WARN is a level of later releases; release 0.8.0 does not read it",
      );
    }
    if (file.hyperthreads === true) {
      this.#report(
        "warning",
        "hyperthreads",
        "it has no effect: the engines of release 0.8.0 bind to whole cores",
        "no such key",
      );
    }
  }

  /** The kernel's limit counts bytes. The number of an engine's process has up to seven digits. */
  #socketPaths(socketDir: string): void {
    const [shortest, longest] = ["1", "4194304"].map((pid) =>
      Buffer.byteLength(`${socketDir}/daos_io_server_${pid}.sock`),
    );
    if (longest === undefined || shortest === undefined || longest <= MAX_SOCKET_PATH) return;
    const room = MAX_SOCKET_PATH - (longest - Buffer.byteLength(socketDir));
    this.#report(
      shortest > MAX_SOCKET_PATH ? "error" : "warning",
      "socket_dir",
      `the paths of its sockets can have ${longest} bytes, the kernel takes ${MAX_SOCKET_PATH}`,
      `a directory of at most ${room} bytes`,
    );
  }

  #telemetry(file: ServerFile): void {
    this.#ipAddress("telemetry_address", file.telemetry_address);
    if (file.telemetry_tls && (this.#overrides.insecure ?? file.transport_config?.allow_insecure)) {
      this.#report(
        "error",
        "telemetry_tls",
        "it needs the server's certificate, and allow_insecure uses none",
        "certificates and allow_insecure: false, or telemetry_tls: false",
      );
    }
    if (file.telemetry_port !== undefined) return;
    for (const key of ["telemetry_address", "telemetry_tls"] as const)
      if (file[key])
        this.#report("warning", key, "it has no effect without telemetry_port", "telemetry_port: 9191");
  }

  #ipAddress(key: "listen_address" | "telemetry_address", address: string | undefined): void {
    if (address === undefined || isIP(address) !== 0) return;
    this.#report("error", key, `${JSON.stringify(address)} is not an IP address`, "192.168.10.1 or 0.0.0.0");
  }

  #listenAddress(
    port: number,
    accessPoints: readonly HostAddress[],
    { allowInsecure }: TransportConfig,
  ): string | undefined {
    const address = this.#file.listen_address;
    this.#ipAddress("listen_address", address);
    if (address !== undefined || !allowInsecure || accessPoints.every(isOnLoopback)) return address;
    this.#report(
      "warning",
      "listen_address",
      `without it and without certificates, whoever reaches port ${port} on any address of this host is an administrator`,
      "the address of this host in a network of trusted hosts, or certificates and allow_insecure: false",
    );
    return undefined;
  }

  #accessPoints(port: number): readonly HostAddress[] {
    const addresses = readAddresses(this.#file.access_points ?? [`localhost:${port}`], port, this.#report);
    addresses.forEach(({ host }, index) => {
      if (host !== "0.0.0.0" && host !== "::") return;
      this.#report(
        "error",
        `access_points[${index}]`,
        `${host} is no address of a host: it stands for all addresses`,
        "the name or address at which the other hosts find this access point",
      );
    });
    return addresses;
  }

  #engine(
    section: EngineFile,
    index: number,
    shared: { readonly name: string; readonly modules: string | undefined; readonly socketDir: string },
  ): EngineConfig {
    const file = this.#file;
    const overrides = this.#overrides;
    const ifaces = file.fabric_ifaces ?? [];
    const provider = section.provider ?? file.provider;
    const fabricIface =
      section.fabric_iface ?? file.fabric_iface ?? (ifaces.length === 1 ? ifaces[0] : ifaces[index]);
    this.#copied(section, index, shared);
    this.#require(
      provider,
      index,
      "provider",
      "the fabric provider, here or at the top level, as in ofi+sockets",
    );
    this.#require(
      fabricIface,
      index,
      "fabric_iface",
      "a network interface, here or at the top level, as in eth0",
    );
    return {
      index,
      rank: section.rank as Rank | undefined,
      targets: overrides.targets ?? section.targets ?? 0,
      nrXsHelpers: this.#helpers(section, index),
      firstCore: overrides.firstCore ?? section.first_core ?? 0,
      provider: provider ?? "",
      fabricIface: fabricIface ?? "",
      fabricIfacePort: this.#fabricPort(section, index),
      pinnedNumaNode: section.pinned_numa_node,
      logMask: section.log_mask,
      logFile: this.#optionalPath(section.log_file),
      envVars: this.#envVars(section, index),
      scm: this.#scm(section, index),
      bdev: this.#bdev(section, index),
      systemName: shared.name,
      socketDir: shared.socketDir,
      modules: shared.modules,
    };
  }

  /** As in release 0.8.0, 0 means that the section has no port of its own. */
  #fabricPort(section: EngineFile, index: number): number {
    const { fabric_iface_port: own } = section;
    const { fabric_iface_port: top = 0 } = this.#file;
    if (own !== 0) return own ?? top;
    if (top !== 0) {
      this.#report(
        "note",
        `servers[${index}].fabric_iface_port`,
        `0 counts as no value, so the top level's ${top} is used`,
        "no port at the top level where the engine is to choose one",
      );
    }
    return top;
  }

  /** If a variable is set twice, the first one counts, as in release 0.8.0. */
  #envVars(section: EngineFile, index: number): readonly string[] {
    const first = new Map<string, string>();
    for (const [at, variable] of (section.env_vars ?? []).entries()) {
      // Refused and reported already.
      if (variable === undefined) continue;
      const [name = "", ...value] = variable.split("=");
      const key = `servers[${index}].env_vars[${at}]`;
      const before = first.get(name);
      if (before !== undefined) {
        this.#report("warning", key, `${name} is set twice, and ${before} counts`, "each variable once");
        continue;
      }
      if (value.length > 1 || value[0] === "") {
        const what = value.length > 1 ? "another = in its value" : "an empty value";
        this.#report("note", key, `${name} has ${what}; release 0.8.0 does not pass it to the engine`);
      }
      first.set(name, variable);
    }
    return [...first.values()];
  }

  /** Release 0.8.0 writes these keys into each section of its active configuration. The top level takes precedence. */
  #copied(
    section: EngineFile,
    index: number,
    shared: { readonly name: string; readonly modules: string | undefined; readonly socketDir: string },
  ): void {
    const compare = (
      key: "name" | "modules" | "socket_dir",
      own: string | undefined,
      top: string | undefined,
    ) => {
      if (own === undefined || own === top) return;
      this.#report(
        "warning",
        `servers[${index}].${key}`,
        `${own} is ignored, the top level's ${top ?? "absence"} counts`,
      );
    };
    compare("name", section.name, shared.name);
    compare("modules", section.modules, shared.modules);
    compare("socket_dir", this.#optionalPath(section.socket_dir), shared.socketDir);
  }

  #helpers(section: EngineFile, index: number): number {
    const asked = this.#overrides.xsHelpers ?? section.nr_xs_helpers ?? 0;
    if (asked <= MAX_HELPERS) return asked;
    this.#report(
      "warning",
      `servers[${index}].nr_xs_helpers`,
      `${asked} is taken as ${MAX_HELPERS}`,
      "0, 1 or 2",
    );
    return MAX_HELPERS;
  }

  #scm(section: EngineFile, index: number): ScmConfig {
    const key = (name: string) => `servers[${index}].${name}`;
    const base = this.#file.scm_mount_path;
    const below = base === undefined || (this.#file.servers?.length ?? 1) === 1 ? base : `${base}/${index}`;
    const mountText = this.#overrides.storage ?? section.scm_mount ?? below;
    this.#require(
      mountText,
      index,
      "scm_mount",
      "the directory of the engine's memory storage, as in /mnt/daos",
    );
    const mount = mountText === undefined ? "" : this.#absolute(mountText);
    if (KERNELS_OWN.test(mount) && !mount.startsWith("/dev/shm/")) {
      this.#report(
        "error",
        key("scm_mount"),
        `${mount} is in a virtual file system of the kernel`,
        "/mnt/daos, or the like",
      );
    }
    const { scm_class: scmClass, scm_size: size = 0, scm_list: list = [] } = section;
    this.#require(scmClass, index, "scm_class", "dcpm or ram");
    if (scmClass === "ram") {
      if (size === 0 && !this.#refused.has(key("scm_size"))) {
        this.#report(
          "error",
          key("scm_size"),
          "scm_class ram has no size",
          "the size of the tmpfs in GiB, at least 1",
        );
      }
      if (list.length > 0) {
        this.#report(
          "warning",
          key("scm_list"),
          "scm_class ram does not use it",
          "no scm_list, or scm_class dcpm",
        );
      }
      return { class: "ram", mount, sizeGiB: size };
    }
    if (scmClass === "dcpm") {
      if (size > 0) {
        this.#report(
          "warning",
          key("scm_size"),
          `scm_class dcpm does not use it: the size is the namespace's`,
          "no scm_size, or scm_class ram",
        );
      }
      if (list.length !== 1 && !this.#refused.has(key("scm_list"))) {
        this.#report(
          "error",
          key("scm_list"),
          `scm_class dcpm with ${countOf(list.length, "device")}`,
          "exactly one, as in [/dev/pmem0]",
        );
      }
      const [device = "/"] = list;
      if (!device.startsWith("/") && !NAMESPACE_UUID.test(device)) {
        this.#report(
          "error",
          key("scm_list[0]"),
          `${device} is neither a path nor the uuid of a namespace`,
          "a device such as /dev/pmem0, or uuid: and the namespace's uuid",
        );
      }
    }
    return { class: "dcpm", mount, device: list[0] ?? "" };
  }

  #bdev(section: EngineFile, index: number): BdevConfig {
    const key = (name: string) => `servers[${index}].${name}`;
    const bdevClass = section.bdev_class ?? "nvme";
    const list = (section.bdev_list ?? []).filter((entry) => typeof entry === "string");
    const number = section.bdev_number ?? 0;
    const size = section.bdev_size ?? 0;
    const unused = (name: "bdev_list" | "bdev_number" | "bdev_size") => {
      this.#report("warning", key(name), `bdev_class ${bdevClass} does not use it`);
    };
    const needed = (name: "bdev_number" | "bdev_size", expected: string) => {
      if (!this.#refused.has(key(name))) {
        this.#report("error", key(name), `bdev_class ${bdevClass} needs it`, expected);
      }
    };
    switch (bdevClass) {
      case "nvme":
        list.forEach((address, at) => {
          if (isPciAddress(address)) return;
          this.#report(
            "error",
            `${key("bdev_list")}[${at}]`,
            `${JSON.stringify(address)} is not the address of an NVMe controller`,
            'a PCI address such as "0000:81:00.0", or another bdev_class',
          );
        });
        if (number > 0) unused("bdev_number");
        if (size > 0) unused("bdev_size");
        return { class: bdevClass, list, number: 0, sizeGB: 0 };
      case "malloc":
        if (number === 0) needed("bdev_number", "the number of devices, at least 1");
        if (size === 0) needed("bdev_size", "the size of each device in GB, at least 1");
        if (list.length > 0) unused("bdev_list");
        return { class: bdevClass, list: [], number, sizeGB: size };
      case "kdev":
        if (number > 0) unused("bdev_number");
        if (size > 0) unused("bdev_size");
        return { class: bdevClass, list: list.map((device) => this.#absolute(device)), number: 0, sizeGB: 0 };
      case "file":
        if (number > 0) unused("bdev_number");
        if (size === 0 && list.length > 0) needed("bdev_size", "the size of each file in GB, at least 1");
        return { class: bdevClass, list: list.map((path) => this.#absolute(path)), number: 0, sizeGB: size };
    }
  }

  #require(value: unknown, index: number, name: string, expected: string): void {
    const key = `servers[${index}].${name}`;
    if (value !== undefined || this.#refused.has(key) || this.#refused.has(name)) return;
    this.#report("error", key, "is missing", expected);
  }

  #transport(file: TransportFile, insecure: boolean | undefined): TransportConfig {
    const { clientCertDir, caCert, cert, key } = this.#certificates;
    return {
      allowInsecure: insecure ?? file.allow_insecure ?? false,
      serverName: file.server_name ?? "server",
      clientCertDir: this.#absolute(file.client_cert_dir ?? clientCertDir),
      caCert: this.#absolute(file.ca_cert ?? caCert),
      crl: this.#optionalPath(file.crl),
      cert: this.#absolute(file.cert ?? cert),
      key: this.#absolute(file.key ?? key),
    };
  }

  #absolute(path: string): string {
    return resolve(this.#cwd, path);
  }

  #optionalPath(path: string | undefined): string | undefined {
    return path === undefined ? undefined : this.#absolute(path);
  }
}

/** The host is written as the loopback: a name that only resolves to it may be another host's. */
export function isOnLoopback({ host }: Pick<HostAddress, "host">): boolean {
  if (isIP(host) !== 0) return host.startsWith("127.") || host === "::1";
  return /^(?:.+\.)?localhost$/i.test(host);
}
