import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { delay } from "@daos/sys";
import { EtcdClient, type EtcdClientOptions } from "../etcd-client.ts";
import { isSpaceExceeded } from "../etcd-error.ts";
import { bytes, prefixEnd } from "../keys.ts";
import type { TlsFiles } from "../tls-files.ts";

export interface EtcdClusterOptions {
  /** Number of members; 1 by default. */
  readonly members?: number | undefined;
  /** Clients must use TLS and show a certificate of the same authority. */
  readonly tls?: EtcdTls | undefined;
  /** Bytes that the database may have before etcd raises its alarm NOSPACE; 2 GB by default. */
  readonly quotaBytes?: number | undefined;
}

type EtcdTls = { readonly [File in keyof TlsFiles]-?: string };

/** One process of a cluster. */
export interface EtcdMember {
  readonly url: string;
  /** Its data directory. Copy it only while the process is stopped. */
  readonly dataDirectory: string;
  /** Kills it, as a crash does. Its data stay. */
  kill(): Promise<void>;
  /** Freezes it: connections stay open, and it sends nothing. */
  freeze(): void;
  thaw(): void;
  /** Starts it again with its data; resolves without waiting for it to serve. */
  restart(): void;
}

const READY_MS = 50_000;
/** A port that was free may be taken before etcd listens on it. */
const ATTEMPTS = 5;
/** Lower ports may belong to services of the machine. */
const MIN_PORT = 10_240;
const TAKEN = "address already in use";
/** Timeout of a call, ms, with a margin for a loaded machine. */
const PATIENT: Timeouts = { connectTimeoutMs: 5_000, callTimeoutMs: 20_000 };

type Timeouts = Pick<EtcdClientOptions, "connectTimeoutMs" | "callTimeoutMs">;

/** A real etcd cluster on free loopback ports, with its data in a temporary directory. Dispose of it. */
export class EtcdCluster implements AsyncDisposable {
  readonly members: readonly EtcdMember[];
  readonly #processes: readonly EtcdProcess[];
  readonly #directory: string;
  readonly #tls: EtcdTls | undefined;

  private constructor(processes: readonly EtcdProcess[], directory: string, tls: EtcdTls | undefined) {
    this.members = processes;
    this.#processes = processes;
    this.#directory = directory;
    this.#tls = tls;
  }

  /** Resolves when the cluster takes writes. @throws Error with etcd's last lines when it does not within 50 s */
  static async start(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await EtcdCluster.#start(options);
      } catch (error) {
        const taken = error instanceof Error && error.message.includes(TAKEN);
        if (!taken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  static async #start({ members = 1, tls, quotaBytes }: EtcdClusterOptions): Promise<EtcdCluster> {
    const directory = await mkdtemp(join(tmpdir(), "daos-etcd-"));
    const ports = await freePorts(2 * members);
    const names = Array.from({ length: members }, (_, index) => `member${index}`);
    const peerUrl = (index: number) => `http://127.0.0.1:${ports[2 * index]}`;
    const processes = names.map((name, index) => {
      const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${ports[2 * index + 1]}`;
      const dataDirectory = join(directory, name);
      return new EtcdProcess(url, dataDirectory, [
        ...["--name", name, "--data-dir", dataDirectory, "--logger", "zap", "--log-level", "warn"],
        ...["--listen-client-urls", url, "--advertise-client-urls", url],
        ...["--listen-peer-urls", peerUrl(index), "--initial-advertise-peer-urls", peerUrl(index)],
        ...["--initial-cluster", names.map((other, i) => `${other}=${peerUrl(i)}`).join(",")],
        ...(tls === undefined
          ? []
          : ["--client-cert-auth", "--trusted-ca-file", tls.caCert, "--cert-file", tls.cert]),
        ...(tls === undefined ? [] : ["--key-file", tls.key]),
        ...(quotaBytes === undefined ? [] : ["--quota-backend-bytes", `${quotaBytes}`]),
      ]);
    });
    const cluster = new EtcdCluster(processes, directory, tls);
    try {
      await cluster.ready();
      if (!processes.every(({ running }) => running)) throw new Error("a member has ended");
      return cluster;
    } catch (error) {
      const said = processes.map((process) => process.said).join("");
      await cluster[Symbol.asyncDispose]();
      throw new Error(`etcd does not serve: ${said}`, { cause: error });
    }
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ url }) => url);
  }

  /**
   * A client of the members, all of them by default. Its timeouts are longer than the product's; tests about members that
   * do not answer set their own.
   */
  client(endpoints: readonly string[] = this.endpoints, timeouts: Timeouts = PATIENT): EtcdClient {
    return new EtcdClient({ endpoints, tls: this.#tls, ...timeouts });
  }

  /** The member that leads; waits until there is one. */
  async leader(): Promise<EtcdMember> {
    for (const signal = AbortSignal.timeout(READY_MS); ; await delay(50, { signal })) {
      for (const member of this.members) {
        using client = this.client([member.url]);
        const { header, leader } = await client.status({ signal });
        if (header?.memberId === leader) return member;
      }
    }
  }

  /** Resolves when every member that runs has a leader and answers. */
  async ready(): Promise<void> {
    const signal = AbortSignal.timeout(READY_MS);
    for (const member of this.#processes) {
      // A member without a leader takes long to answer.
      using client = this.client([member.url], { ...PATIENT, callTimeoutMs: 2_000 });
      const answers = () =>
        client.range({ key: bytes("ready?") }, { signal }).then(
          () => true,
          () => false,
        );
      while (member.running && !(await answers())) await delay(50, { signal });
    }
  }

  /** Writes until etcd raises its alarm NOSPACE; its `quotaBytes` should be small. */
  async fill(): Promise<void> {
    using client = this.client();
    const signal = AbortSignal.timeout(READY_MS);
    for (let number = 0; ; number++) {
      try {
        await client.put({ key: bytes(`/other/${number % 10}`), value: new Uint8Array(30_000) }, { signal });
      } catch (error) {
        if (!isSpaceExceeded(error)) throw error;
        return;
      }
    }
  }

  /** Clears the alarm as an administrator does: etcdctl del, compact, defrag, alarm disarm. */
  async clearAlarm(): Promise<void> {
    using client = this.client();
    const signal = AbortSignal.timeout(READY_MS);
    const { header } = await client.deleteRange(
      { key: bytes("/other/"), rangeEnd: prefixEnd("/other/") },
      { signal },
    );
    const [first] = this.members;
    // Calls that only administrators make: through the JSON gateway of etcd.
    const call = async (url: string | undefined, path: string, body: object) => {
      const answer = await fetch(`${url}/v3/${path}`, { method: "POST", body: JSON.stringify(body), signal });
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
      return (await answer.json()) as { readonly alarms?: readonly object[] };
    };
    await call(first?.url, "kv/compaction", { revision: `${header?.revision}`, physical: true });
    for (const { url } of this.members) await call(url, "maintenance/defragment", {});
    const { alarms = [] } = await call(first?.url, "maintenance/alarm", { action: "GET" });
    for (const alarm of alarms)
      await call(first?.url, "maintenance/alarm", { action: "DEACTIVATE", ...alarm });
  }

  /** Thaws and starts all members again, and waits for them. */
  async restore(): Promise<void> {
    for (const process of this.#processes) {
      if (process.running) process.thaw();
      else process.restart();
    }
    await this.ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

class EtcdProcess implements EtcdMember {
  readonly url: string;
  readonly dataDirectory: string;
  readonly #args: readonly string[];
  #child: ChildProcess;
  /** The last lines of its log. */
  said = "";

  constructor(url: string, dataDirectory: string, args: readonly string[]) {
    this.url = url;
    this.dataDirectory = dataDirectory;
    this.#args = args;
    this.#child = this.#start();
  }

  get running(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  restart(): void {
    if (this.running) throw new Error(`etcd at ${this.url} still runs`);
    this.#child = this.#start();
  }

  /** It ends with the test process in every case, and ignores etcd's settings in the environment. */
  #start(): ChildProcess {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "etcd", ...this.#args], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/bin` },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.said = (this.said + chunk).slice(-4000);
    });
    child.on("error", (error) => {
      this.said += `${error.message}; on Debian, etcd is in the package etcd-server\n`;
    });
    return child;
  }
}

/**
 * Ports that are free now. They lie outside the kernel's range for outgoing connections. Otherwise the kernel could take
 * the port of a member while the member is down.
 */
async function freePorts(count: number): Promise<readonly number[]> {
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  const [first = 0] = range.split("\t").map(Number);
  const end = first > MIN_PORT + 1_000 ? first : 65_536;
  const servers: Server[] = [];
  while (servers.length < count) {
    const port = MIN_PORT + Math.floor(Math.random() * (end - MIN_PORT));
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (free) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
