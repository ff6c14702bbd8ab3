import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { delay } from "@daos/sys";
import { EtcdClient } from "../etcd-client.ts";
import { bytes } from "../keys.ts";
import type { TlsFiles } from "../tls-files.ts";

export interface EtcdClusterOptions {
  /** Number of members; 1 by default. */
  readonly members?: number | undefined;
  /** Clients must use TLS and show a certificate of the same authority. */
  readonly tls?: EtcdTls | undefined;
}

type EtcdTls = { readonly [File in keyof TlsFiles]-?: string };

/** One process of a cluster. */
export interface EtcdMember {
  readonly url: string;
  /** Ends it at once, as a crash does; its data stay. */
  kill(): Promise<void>;
  /** Freezes it: connections to it stay open, and nothing comes. */
  freeze(): void;
  thaw(): void;
  /** Starts it again with its data; resolves without waiting for it to serve. */
  restart(): void;
}

const READY_MS = 40_000;
/** A port that was free may be taken before etcd listens on it. */
const ATTEMPTS = 5;

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

  /** Resolves when the cluster takes writes. @throws Error with etcd's last lines when it does not within 40 s */
  static async start(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await EtcdCluster.#start(options);
      } catch (error) {
        const taken = error instanceof Error && error.message.includes("address already in use");
        if (!taken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  static async #start({ members = 1, tls }: EtcdClusterOptions): Promise<EtcdCluster> {
    const directory = await mkdtemp(join(tmpdir(), "daos-etcd-"));
    const ports = await freePorts(2 * members);
    const names = Array.from({ length: members }, (_, index) => `member${index}`);
    const peerUrl = (index: number) => `http://127.0.0.1:${ports[2 * index]}`;
    const processes = names.map((name, index) => {
      const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${ports[2 * index + 1]}`;
      return new EtcdProcess(url, [
        ...["--name", name, "--data-dir", join(directory, name), "--logger", "zap", "--log-level", "warn"],
        ...["--listen-client-urls", url, "--advertise-client-urls", url],
        ...["--listen-peer-urls", peerUrl(index), "--initial-advertise-peer-urls", peerUrl(index)],
        ...["--initial-cluster", names.map((other, i) => `${other}=${peerUrl(i)}`).join(",")],
        ...(tls === undefined
          ? []
          : ["--client-cert-auth", "--trusted-ca-file", tls.caCert, "--cert-file", tls.cert]),
        ...(tls === undefined ? [] : ["--key-file", tls.key]),
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

  /** A client of the members, all of them if not said. */
  client(endpoints: readonly string[] = this.endpoints): EtcdClient {
    return new EtcdClient({ endpoints, tls: this.#tls });
  }

  /** The member that leads the others. @throws Error while there is none */
  async leader(): Promise<EtcdMember> {
    for (const member of this.members) {
      using client = this.client([member.url]);
      const { header, leader } = await client.status({ signal: AbortSignal.timeout(READY_MS) });
      if (header?.memberId === leader) return member;
    }
    throw new Error("etcd has no leader");
  }

  /** Resolves when every member that runs has a leader and answers. */
  async ready(): Promise<void> {
    const signal = AbortSignal.timeout(READY_MS);
    for (const member of this.#processes) {
      using client = this.client([member.url]);
      const answers = () =>
        client.range({ key: bytes("ready?") }, { signal }).then(
          () => true,
          () => false,
        );
      while (member.running && !(await answers())) await delay(50, { signal });
    }
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
  readonly #args: readonly string[];
  #child: ChildProcess;
  /** The last lines of its log. */
  said = "";

  constructor(url: string, args: readonly string[]) {
    this.url = url;
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

  /** It ends with the tests whatever becomes of them, and takes no settings from the environment. */
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

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address !== null) ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
