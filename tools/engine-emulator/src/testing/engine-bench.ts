import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DrpcClient, DrpcServer, drpcMethods, drpcModule, drpcModules, handle } from "@daos/drpc";
import { silentLogger } from "@daos/log";
import type { srv } from "@daos/proto";

const LAUNCHER = fileURLToPath(new URL("../../bin/daos_io_server", import.meta.url));

/** The report of a ready engine, and its identity. */
export interface Ready {
  readonly request: srv.NotifyReadyReq;
  readonly pid: number;
  /** Aborts when the engine's connection ends. */
  readonly gone: AbortSignal;
}

export interface EngineRun {
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  readonly output: () => string;
  /** Settles when the process and its output have ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Settles when the output has this text. */
  readonly printed: (text: string) => Promise<void>;
}

/** A small control plane: directories, the dRPC server for the engines' reports, and the engines that it has started. */
export class EngineBench {
  root = "";
  readonly #children = new Set<ChildProcess>();
  readonly #clients: DrpcClient[] = [];
  readonly #ready: Ready[] = [];
  #notify = () => {};
  #server: DrpcServer | undefined;

  get socketDir(): string {
    return join(this.root, "run");
  }

  get scmMount(): string {
    return join(this.root, "scm");
  }

  async open(): Promise<void> {
    this.root = await mkdtemp(join(tmpdir(), "engine-"));
    await mkdir(this.socketDir);
    await mkdir(this.scmMount);
    const notifyReady = handle(drpcMethods.notifyReady, (request, { peer, signal }) => {
      this.#ready.push({ request, pid: peer.pid, gone: signal });
      this.#notify();
    });
    this.#server = new DrpcServer({
      path: join(this.socketDir, "daos_server.sock"),
      modules: [drpcModule(drpcModules.srv, [notifyReady])],
      log: silentLogger,
    });
    await this.#server.listen();
  }

  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#children].map((child) => once(child, "close")));
    await this.#server?.close();
    await rm(this.root, { recursive: true });
  }

  /** Stops listening for engines. */
  async stopListening(): Promise<void> {
    await this.#server?.close();
  }

  start(options: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): EngineRun {
    const { args = ["-d", this.socketDir, "-s", this.scmMount, "-t", "2", "-x", "0"], env = {} } = options;
    return this.spawn([LAUNCHER, ...args], env);
  }

  spawn([command = "", ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): EngineRun {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, OFI_INTERFACE: "lo", DAOS_EMULATOR_SCM_BYTES: "1000000000", ...env },
    });
    this.#children.add(child);
    let output = "";
    let onOutput = () => {};
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        onOutput();
      });
    }
    const ended = once(child, "close").then(([code, signal]) => {
      this.#children.delete(child);
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    const printed = (text: string) =>
      new Promise<void>((resolve) => {
        onOutput = () => {
          if (output.includes(text)) resolve();
        };
        onOutput();
      });
    return { child, output: () => output, ended, printed };
  }

  launcher(): string {
    return LAUNCHER;
  }

  /** The next report, in the order of arrival. */
  async nextReady(): Promise<Ready> {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  async connect(path: string): Promise<DrpcClient> {
    const client = await DrpcClient.connect(path);
    this.#clients.push(client);
    return client;
  }

  /** Starts an engine, and waits for its report. */
  async started(
    options?: Parameters<EngineBench["start"]>[0],
  ): Promise<EngineRun & Ready & { readonly client: DrpcClient }> {
    const run = this.start(options);
    const ready = await Promise.race([
      this.nextReady(),
      run.ended.then(({ code }) =>
        Promise.reject(new Error(`the engine ended with ${code}: ${run.output()}`)),
      ),
    ]);
    return { ...run, ...ready, client: await this.connect(ready.request.drpcListenerSock) };
  }
}
