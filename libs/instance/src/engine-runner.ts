import { hostname } from "node:os";
import type { EngineConfig } from "@daos/config";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { abortable } from "@daos/sys";
import type { DataPlane } from "./data-plane/data-plane.ts";
import type { EngineReady, JoinRequest, JoinResult } from "./data-plane/set-up-engine.ts";
import { EngineClient } from "./engine-client.ts";
import { type EngineExit, showExit } from "./engine-process.ts";
import { faultEngineExited, faultEngineNotReady } from "./faults.ts";
import { type HeldState, processOf, type Serving, type Starting, serving, starting } from "./held-state.ts";
import type { InstanceParts, ProcessPart, StoragePart } from "./instance-parts.ts";
import { probeLiveness } from "./probe-liveness.ts";
import type { EngineRun } from "./supervise.ts";

/** The settings with which the processes of an engine are started. */
export interface EngineRunnerOptions {
  readonly config: EngineConfig;
  /** `host:port` of this host as an access point. */
  readonly msAddress: string;
  /** Path of `daos_io_server`, looked up at each start. @throws Fault engineNotFound */
  readonly findEngine: () => Promise<string>;
  readonly join: (request: JoinRequest, options: { readonly signal: AbortSignal }) => Promise<JoinResult>;
  /** The lock on its storage, which its process inherits. */
  readonly lockFd?: (() => number | undefined) | undefined;
  /** Gets the engine's own output, as info (stdout) and error (stderr). */
  readonly engineLog: Logger;
  readonly readyTimeoutMs: number;
  readonly ofiDomain?: string | undefined;
  /** Variables for the engine below those of its configuration. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly log: Logger;
}

/** The instance that an {@link EngineRunner} runs the processes of. */
export interface EngineRunnerPorts {
  readonly state: HeldState;
  enter<State extends HeldState>(state: State): State;
  /** Something other than its state has changed. */
  onChange(): void;
  /** The engine is not to run any more. */
  stopAsked(): boolean;
  /** @throws Fault storageLost */
  verifyStorage(): Promise<void>;
  readonly storage: StoragePart;
  readonly parts: InstanceParts;
  readonly dataPlane: DataPlane;
}

/** Grace period before an engine that was asked to end is killed, ms. */
export const STOP_GRACE_MS = 10_000;

/** Interval of the checks of a serving engine's storage, ms: no longer than that of the reports. */
const STORAGE_CHECK_MS = 5_000;

/** An engine that is a member of the system, and the way to call it. */
type JoinedEngine = Pick<Serving, "client" | "rank">;

/** Runs the processes of one engine, one after another. */
export class EngineRunner {
  readonly #options: EngineRunnerOptions;
  readonly #ports: EngineRunnerPorts;
  readonly #config: EngineConfig;
  readonly #log: Logger;
  #hasServed = false;
  #incarnation = 0;
  #starts = 0;
  #startedAt = 0;

  constructor(options: EngineRunnerOptions, ports: EngineRunnerPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#config = options.config;
    this.#log = options.log;
  }

  /** The engine has been in service since the server started. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Of the join of the process that runs now; 0 before it has joined. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** How often a process has been started. */
  get starts(): number {
    return this.#starts;
  }

  /** When the last process was started, ms since 1970; 0 for none. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** The engine has lost its identity, so it is no longer a member. */
  forgetJoin(): void {
    this.#incarnation = 0;
  }

  /** Runs one process from start to end, or returns why there is none. `reason` is why the previous one ended. */
  async runOnce(reason: string, signal: AbortSignal): Promise<EngineRun> {
    this.#incarnation = 0;
    const state = this.#ports.enter(starting(reason));
    try {
      state.process = await this.#startProcess(signal);
    } catch (error) {
      return { reachedService: false, fault: toFault(error) };
    }
    const { process } = state;
    this.#starts++;
    const end = () => void process.stop(STOP_GRACE_MS);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted || this.#ports.stopAsked()) end();
    const run = await this.#serve(state, process, signal);
    signal.removeEventListener("abort", end);
    return run;
  }

  /**
   * The steps after a format, once the process runs: the engine announces itself, its storage is checked once more, it
   * joins, it serves until its process ends.
   */
  async #serve(state: Starting, process: ProcessPart, signal: AbortSignal): Promise<EngineRun> {
    const over = new AbortController();
    let fault: Fault | undefined;
    let client: EngineClient | undefined;
    try {
      const ready = await this.#awaitReady(state, process, signal);
      // The storage may have been lost between the last check and the start; then the engine must not join.
      await this.#ports.verifyStorage();
      const joined = await this.#join(ready, process, signal);
      client = joined.client;
      this.#hasServed = true;
      this.#ports.enter(serving({ ...joined, ready, process }));
      this.#log.info("engine serving", {
        rank: joined.rank,
        uuid: this.#ports.storage.superblock?.uuid,
        pid: process.pid,
      });
      this.#probeLiveness(joined.client, over.signal);
      this.#watchStorage(over.signal);
    } catch (error) {
      fault = toFault(error);
      if (!signal.aborted && !this.#ports.stopAsked())
        this.#log.error("engine could not be taken into service", { fault });
      await process.stop(STOP_GRACE_MS);
    }
    const exit = await process.exited;
    over.abort(new DOMException("the engine has ended", "AbortError"));
    client?.close();
    this.#log.info("engine ended", { pid: process.pid, exit: showExit(exit) });
    const reachedService = fault === undefined;
    const phase = reachedService ? "while it was serving" : "before it was serving";
    return { reachedService, fault: fault ?? this.#exitFault(exit, phase) };
  }

  /** A hung engine is reported, and left to the operator: it may be in the middle of writing. */
  #probeLiveness(client: EngineClient, signal: AbortSignal): void {
    const probing = probeLiveness({
      ping: (wait) => this.#ports.dataPlane.ping(client, wait),
      onUnresponsive: (ms) => {
        const { state } = this.#ports;
        if (state.kind !== "serving") return;
        const unresponsive =
          ms === undefined ? undefined : `it has not answered for ${Math.round(ms / 1000)} s, and still runs`;
        if (unresponsive === undefined) this.#log.info("engine answers again");
        else this.#log.error("engine does not answer", { pid: this.#pid, reason: unresponsive });
        this.#ports.enter(serving({ ...state, unresponsive }));
      },
      clock: this.#ports.parts.clock,
      signal,
    });
    probing.catch(() => {});
  }

  /** An engine whose storage is lost runs on, and the loss is reported: clients may still need its data. */
  #watchStorage(signal: AbortSignal): void {
    const watching = async () => {
      for (;;) {
        await this.#ports.parts.clock.delay(STORAGE_CHECK_MS, { signal });
        const storageFault = await this.#ports.verifyStorage().then(() => undefined, toFault);
        signal.throwIfAborted();
        const { state } = this.#ports;
        if (state.kind !== "serving" || state.storageFault?.message === storageFault?.message) continue;
        if (storageFault === undefined) this.#log.info("the engine's storage is there again");
        else
          this.#log.error("the storage of a running engine is lost", { pid: this.#pid, fault: storageFault });
        this.#ports.enter(serving({ ...state, storageFault }));
      }
    };
    watching().catch(() => {});
  }

  async #startProcess(signal: AbortSignal): Promise<ProcessPart> {
    const { findEngine, ofiDomain, environment } = this.#options;
    const executable = await findEngine();
    await this.#ports.verifyStorage();
    const nvmeConf = await this.#ports.storage.prepareBdevs({ signal });
    const { args, env } = this.#ports.dataPlane.command(this.#config, {
      host: hostname(),
      pid: process.pid,
      nvmeConf,
      environment: { ...process.env, ...environment },
      ofiDomain,
    });
    const started = await this.#ports.parts.startProcess({
      index: this.#config.index,
      executable,
      args,
      env,
      lockFd: this.#options.lockFd?.(),
      log: this.#options.engineLog,
    });
    this.#startedAt = this.#ports.parts.clock.wallTime();
    this.#log.info("engine started", { pid: started.pid, executable });
    return started;
  }

  async #awaitReady(state: Starting, process: ProcessPart, parent: AbortSignal): Promise<EngineReady> {
    const { readyTimeoutMs } = this.#options;
    using limit = this.#ports.parts.clock.deadline(readyTimeoutMs, "engine to call NotifyReady", parent);
    try {
      const announced = Promise.race([
        state.announced.promise,
        this.#endsWith(process, "before it was ready"),
      ]);
      const ready = await abortable(announced, limit.signal);
      this.#log.info("engine ready", { pid: process.pid, uri: ready.uri });
      return ready;
    } catch (error) {
      if (parent.aborted || !limit.signal.aborted) throw error;
      throw faultEngineNotReady(this.#config.index, readyTimeoutMs, this.#config.logFile);
    }
  }

  /** Makes the engine a member of the system, unless its process ends meanwhile. */
  async #join(ready: EngineReady, process: ProcessPart, signal: AbortSignal): Promise<JoinedEngine> {
    const over = new AbortController();
    const joining = this.#setUp(ready, AbortSignal.any([signal, over.signal]));
    try {
      return await Promise.race([joining, this.#endsWith(process, "before it was serving")]);
    } catch (error) {
      // Nothing is requested or written for a process that has ended.
      over.abort(new DOMException("the engine has ended", "AbortError"));
      await joining.then(({ client }) => client.close()).catch(() => {});
      throw error;
    }
  }

  async #setUp(ready: EngineReady, signal: AbortSignal): Promise<JoinedEngine> {
    const { superblock } = this.#ports.storage;
    if (superblock === undefined) throw new Error("an engine was started without storage");
    const connect = (wait: { readonly signal: AbortSignal }) => this.#ports.parts.connect(ready.socket, wait);
    const client = new EngineClient(await connect({ signal }), async (wait) => {
      const connection = await connect(wait);
      this.#log.warn("the dRPC connection to the engine was lost; there is another one", { pid: this.#pid });
      return connection;
    });
    try {
      const { rank } = await this.#ports.dataPlane.setUp(
        client,
        { ready, superblock },
        {
          join: async (request, options) => {
            // A recorded replica may answer its own join: after a restart of all replicas none serves before it.
            if (request.recorded) this.#showReplica(client);
            const joined = await this.#options.join(request, options);
            this.#incarnation = joined.incarnation;
            return joined.rank;
          },
          writeSuperblock: (next) => this.#ports.storage.writeSuperblock(next),
        },
        { msAddress: this.#options.msAddress, signal, clock: this.#ports.parts.clock },
      );
      return { client, rank };
    } catch (error) {
      this.#showReplica(undefined);
      client.close();
      throw error;
    }
  }

  /** Whether the engine's replica takes calls while its join is still to come. */
  #showReplica(replica: EngineClient | undefined): void {
    const { state } = this.#ports;
    if (state.kind !== "starting" || state.replica === replica) return;
    state.replica = replica;
    this.#ports.onChange();
  }

  /** Never resolves; rejects when the process ends. */
  async #endsWith(process: ProcessPart, phase: string): Promise<never> {
    throw this.#exitFault(await process.exited, phase);
  }

  #exitFault(exit: EngineExit, phase: string): Fault {
    return faultEngineExited(this.#config.index, showExit(exit), phase, this.#config.logFile);
  }

  get #pid(): number | undefined {
    return processOf(this.#ports.state)?.pid;
  }
}
