import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type ListenOptions, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorityFiles, buildCertificate } from "@daos/security/ca";
import { abortable, deadline, listMounts, ProcessCommandRunner } from "@daos/sys";
import { type Ended, Program, run, WORKSPACE } from "./program.ts";

export const isRoot = process.geteuid?.() === 0;

export const DAOS_SERVER = join(WORKSPACE, "apps/daos-server/bin/daos-server");
export const DMG = join(WORKSPACE, "apps/dmg/bin/dmg");

/** The general time limit, ms. A busy machine needs many times as long as an idle one. */
export const EVENTUAL_TIMEOUT_MS = 120_000;

export interface TestSystemOptions {
  readonly engines?: number;
  /** Uses certificates of its own authority, made by `daos-server cert`, instead of plain text. */
  readonly secure?: boolean;
  /** `user_name` of the configuration. */
  readonly userName?: string;
  /** The parent of the host's directory; the temporary directory by default. */
  readonly parent?: string;
  readonly port?: number;
  /** This host alone by default. */
  readonly accessPoints?: readonly string[];
  /** `ofi+sockets` by default. */
  readonly provider?: string;
  /** Additional lines of the configuration. */
  readonly more?: string;
  /** An environment variable of its first engine only, such as `DAOS_EMULATOR_FAULTS=start:exit=3`. */
  readonly firstEngineEnv?: string;
  /** The environment of the server, at each start. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The parts of dmg's results that the tests use. Each command has its own. */
export interface DmgResult {
  /** The results of `storage query` for each engine. */
  readonly devices: readonly {
    readonly rank: number;
    readonly uuid: string;
    readonly deviceUuid: string;
  }[];
  readonly uuid: string;
  readonly members: readonly {
    readonly rank: number;
    readonly uuid: string;
    readonly address: string;
    readonly state: string;
    readonly reason: string;
    readonly incarnation: number;
    readonly faultDomain: string;
  }[];
  readonly leader: string | null;
  readonly replicas: readonly string[];
  readonly events: readonly DmgEvent[];
  readonly pools: readonly { readonly uuid: string }[];
}

/** The parts of an event that the tests use. */
export interface DmgEvent {
  readonly number: number;
  readonly kind: string;
  readonly severity: string;
  readonly rank: number | null;
  readonly time: string;
}

/** A separate DAOS host with its own configuration, sockets, storage and port. Disposal removes everything. */
export class TestSystem implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly configPath: string;
  /** The server program of the next start. Another build may take over a system. */
  program = DAOS_SERVER;
  readonly #scmBase: string;
  readonly #engines: number;
  readonly #env: Readonly<Record<string, string>>;
  #server: Program | undefined;

  private constructor(directory: string, scmBase: string, port: number, options: TestSystemOptions) {
    this.directory = directory;
    this.port = port;
    this.configPath = join(directory, "daos_server.yml");
    this.#scmBase = scmBase;
    this.#engines = options.engines ?? 1;
    this.#env = options.env ?? {};
  }

  static async create(options: TestSystemOptions = {}): Promise<TestSystem> {
    const { secure = false, parent = tmpdir() } = options;
    const directory = await mkdtemp(join(parent, "daos-e2e-"));
    // Root uses real tmpfs mounts. Other users need directories directly below a mount point.
    const scmBase = isRoot ? join(directory, "scm") : join("/dev/shm", directory.split("/").at(-1) ?? "");
    const system = new TestSystem(directory, scmBase, options.port ?? (await freePort()), options);
    await mkdir(system.socketDir);
    await mkdir(system.filesDir);
    if (secure) await system.#makeCertificates();
    await writeFile(system.configPath, system.#config(secure, options));
    return system;
  }

  get socketDir(): string {
    return join(this.directory, "sockets");
  }

  /** The logs of the engines, and the files that replace NVMe. */
  get filesDir(): string {
    return join(this.directory, "files");
  }

  scmMount(index = 0): string {
    return `${this.#scmBase}${index}`;
  }

  get server(): Program {
    if (this.#server === undefined) throw new Error("the server has not been started");
    return this.#server;
  }

  /** Starts `daos-server start` on this system. */
  launch(
    args: readonly string[] = [],
    options: {
      readonly env?: Readonly<Record<string, string>>;
      /** A command that runs the server, such as `setpriv`. */
      readonly through?: readonly string[];
    } = {},
  ): Program {
    const serving = Promise.withResolvers<void>();
    this.#serving = serving.promise;
    const argv = [...(options.through ?? []), this.program, "start", "-o", this.configPath, ...args];
    this.#server = new Program(argv as [string, ...string[]], {
      env: { ...this.#env, ...options.env },
      cwd: this.directory,
      onMessage: () => serving.resolve(),
    });
    return this.#server;
  }

  #serving: Promise<void> = new Promise(() => {});

  /** Starts the server, and waits until every engine serves. */
  async start(
    args: readonly string[] = ["--auto-format"],
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.launch(args, { env });
    await this.serving();
  }

  /** Waits until every engine serves. @throws Error with the server's output when it ends before */
  async serving(ms = EVENTUAL_TIMEOUT_MS): Promise<void> {
    const { server } = this;
    using limit = deadline(ms, "every engine to serve");
    const early = server.ended.then(() => {
      throw new Error("the server ended");
    });
    try {
      await abortable(Promise.race([this.#serving, early]), limit.signal);
    } catch (error) {
      throw new Error(`the server does not serve; it printed:\n${server.output}`, { cause: error });
    }
  }

  /** Runs the real dmg with this host. */
  dmg(...args: readonly string[]): Promise<Ended> {
    return run([DMG, "-i", "-l", `localhost:${this.port}`, ...args], { cwd: this.directory });
  }

  /** Starts dmg with this host. */
  startDmg(...args: readonly string[]): Program {
    return new Program([DMG, "-i", "-l", `localhost:${this.port}`, ...args]);
  }

  /** Runs dmg with `--json`, which must succeed, and returns the result that it prints. */
  async dmgJson(...args: readonly string[]): Promise<DmgResult> {
    const { exitCode, stdout, stderr } = await this.dmg("--json", ...args);
    if (exitCode !== 0) throw new Error(`dmg ${args.join(" ")} ended with ${exitCode}: ${stderr}${stdout}`);
    return (JSON.parse(stdout) as { readonly result: DmgResult }).result;
  }

  /** The id of the engine's latest process, from the server's log. */
  enginePid(index = 0): number {
    const starts = [...this.server.output.matchAll(/engine started index=(\d+) pid=(\d+)/g)];
    const last = starts.filter(([, at]) => Number(at) === index).at(-1);
    if (last === undefined) throw new Error(`engine ${index} has not been started`);
    return Number(last[2]);
  }

  /** Stops the server like an operator. */
  async stop(): Promise<Ended> {
    this.server.child.kill("SIGTERM");
    return this.server.end();
  }

  /** Ends the server if it runs. */
  terminate(): void {
    if (this.#server?.running !== true) return;
    // A server that a failed test has left frozen would not receive the signal.
    this.#server.child.kill("SIGCONT");
    this.#server.child.kill("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    await this.#server?.end().catch(() => {});
    const runner = new ProcessCommandRunner();
    const mounts = (await listMounts()).filter((entry) => entry.mountPoint.startsWith(`${this.directory}/`));
    for (const { mountPoint } of mounts.reverse()) await runner.run(["umount", "-l", mountPoint]);
    for (let index = 0; index < this.#engines; index++) {
      await rm(this.scmMount(index), { recursive: true, force: true });
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The certificate of the system's own CA. */
  get caCert(): string {
    return this.#certificates.caCert;
  }

  /** The client configuration that `dmg` uses with a certificate of `role`. */
  async clientConfig(role: "admin" | "agent"): Promise<string> {
    const path = join(this.directory, `${role}.yml`);
    const { caCert } = this.#certificates;
    const own = join(this.directory, role, role);
    await writeFile(
      path,
      `name: daos_server
hostlist: ['localhost:${this.port}']
transport_config:
  allow_insecure: false
  server_name: server
  ca_cert: ${caCert}
  cert: ${own}.crt
  key: ${own}.key
`,
    );
    return path;
  }

  /** Replaces the certificate of a role by another one for the same key. */
  async replaceCertificate(
    role: "server",
    { expired = false }: { readonly expired?: boolean },
  ): Promise<void> {
    const { cert: caPath, key: caKey } = authorityFiles(this.#certificates.directory);
    const path = join(this.directory, role, `${role}.crt`);
    const hour = 3_600_000;
    const end = Date.now() + (expired ? -hour : 24 * hour);
    const next = buildCertificate(
      {
        subject: { organization: "DAOS", commonName: role },
        publicKey: new X509Certificate(await readFile(path)).publicKey,
        notBefore: new Date(end - 48 * hour),
        notAfter: new Date(end),
        keyUsage: ["digitalSignature", "keyEncipherment"],
        dnsNames: [role],
      },
      {
        certificate: new X509Certificate(await readFile(caPath)),
        key: createPrivateKey(await readFile(caKey)),
      },
    );
    await rm(path);
    await writeFile(path, next.toString(), { mode: 0o644 });
  }

  get #certificates() {
    return {
      directory: join(this.directory, "ca"),
      caCert: join(this.directory, "ca", "certs", "daosCA.crt"),
    };
  }

  async #makeCertificates(): Promise<void> {
    const { directory } = this.#certificates;
    const cert = async (...args: readonly string[]) => {
      const { exitCode, stderr } = await run([DAOS_SERVER, "cert", ...args, "--directory", directory]);
      if (exitCode !== 0) throw new Error(`daos-server cert ${args.join(" ")}: ${stderr}`);
    };
    await cert("init");
    for (const role of ["server", "admin", "agent"]) {
      await cert("issue", "--role", role, "--output", join(this.directory, role));
    }
    await mkdir(join(this.directory, "clients"), { mode: 0o700 });
  }

  #transport(secure: boolean): string {
    if (!secure) return "  allow_insecure: true";
    return `  client_cert_dir: ${this.directory}/clients
  ca_cert: ${this.#certificates.caCert}
  cert: ${this.directory}/server/server.crt
  key: ${this.directory}/server/server.key`;
  }

  #config(secure: boolean, options: TestSystemOptions): string {
    const { userName, accessPoints = [`localhost:${this.port}`], provider, more = "" } = options;
    const { firstEngineEnv } = options;
    const env = firstEngineEnv === undefined ? "" : `\n    env_vars: ["${firstEngineEnv}"]`;
    const engine = (index: number) => `
  - targets: 1
    first_core: ${index}
    nr_xs_helpers: 0
    fabric_iface: lo
    fabric_iface_port: ${20000 + (this.port % 20000) + index}
    log_file: ${this.filesDir}/engine${index}.log
    scm_mount: ${this.scmMount(index)}
    scm_class: ram
    scm_size: 1
    bdev_class: file
    bdev_list: [${this.filesDir}/bdev${index}]
    bdev_size: 1${index === 0 ? env : ""}`;
    return `name: daos_server
access_points: ${JSON.stringify(accessPoints)}
${more}
port: ${this.port}
provider: ${provider ?? "ofi+sockets"}
engine: emulated
socket_dir: ${this.socketDir}
${userName === undefined ? "" : `user_name: ${userName}\n`}transport_config:
${this.#transport(secure)}
servers:${Array.from({ length: this.#engines }, (_, index) => engine(index)).join("")}
`;
  }
}

/**
 * A TCP port that is free now, and that no other test on this machine gets before this process ends. It is below the kernel's
 * ephemeral range, because an ephemeral port may be in use when a server listens on it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_240 + Math.floor(Math.random() * 20_000);
    // An abstract socket: only one process can have the name, and the name disappears with the process.
    const claim = await listening({ path: `\0daos-e2e-port-${port}` });
    if (claim === undefined) continue;
    claim.unref();
    const server = await listening({ port, host: "0.0.0.0" });
    if (server === undefined) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }
}

/** A listening server; undefined when the address is in use. */
function listening(where: ListenOptions): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(where, () => resolve(server));
  });
}
