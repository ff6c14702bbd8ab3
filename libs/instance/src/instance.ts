import { lstat } from "node:fs/promises";
import { hostname } from "node:os";
import type { EngineConfig } from "@daos/config";
import {
  type Body,
  type BodyInit,
  type BodyMessage,
  DrpcClient,
  type DrpcMethod,
  drpcMethods,
} from "@daos/drpc";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Rank } from "@daos/rank";
import type { Superblock } from "@daos/superblock";
import { abortable, deadline, delay } from "@daos/sys";
import { engineArguments, engineEnvironment, sharedMemoryId } from "./engine-arguments.ts";
import { type EngineExit, EngineProcess, showExit } from "./engine-process.ts";
import {
  type EngineFormatOptions,
  EngineStorage,
  type EngineStorageOptions,
  type InstanceFormatResult,
} from "./engine-storage.ts";
import {
  faultEngineExited,
  faultEngineNotReady,
  faultEngineNotRunning,
  faultFormatNotAwaited,
  faultNotifyReadySocket,
} from "./faults.ts";
import { planRestart, STABLE_MS } from "./plan-restart.ts";
import { type EngineReady, type JoinRequest, setUpEngine } from "./set-up-engine.ts";

/** Where an engine is in its life. */
export type InstanceState =
  /** Its storage has not been looked at yet. */
  | { readonly kind: "new" }
  /** Its storage waits for `storage format`. */
  | { readonly kind: "awaiting format"; readonly reason: string }
  /** Its storage is being formatted. */
  | { readonly kind: "formatting" }
  /** Its process runs, but is not in service yet. */
  | { readonly kind: "starting" }
  /** It is a member of the system and answers calls. */
  | { readonly kind: "serving"; readonly rank: Rank; readonly ready: EngineReady }
  /** It ended unasked and is about to be started again. */
  | { readonly kind: "restarting"; readonly reason: string }
  /** It ended because it was asked to. */
  | { readonly kind: "stopped" }
  /** It is not started again before the server is. */
  | { readonly kind: "failed"; readonly fault: Fault };

export interface InstanceOptions extends EngineStorageOptions {
  /** `host:port` of this host as an access point. */
  readonly msAddress: string;
  /** Path of `daos_io_server`, looked up at each start. @throws Fault engineNotFound */
  readonly findEngine: () => Promise<string>;
  readonly join: (request: JoinRequest, options: { readonly signal: AbortSignal }) => Promise<Rank>;
  /** Called before the first call that needs the membership: the engine of an MS replica serves. */
  readonly onServing: (instance: EngineInstance) => Promise<void>;
  /** Gets the engine's own output, as info (stdout) and error (stderr). */
  readonly engineLog: Logger;
  /** Formats storage that has never been formatted without being asked. */
  readonly autoFormat: boolean;
  /** Ends after the storage is ready, before the engine starts: root provisions, another user runs. */
  readonly provisionOnly: boolean;
  readonly readyTimeoutMs: number;
  readonly ofiDomain?: string | undefined;
  /** Variables for the engine below those of its configuration. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

const STOP_GRACE_MS = 10_000;

/** Our record of one engine: its storage, its superblock, its process and the way to call it. */
export class EngineInstance {
  readonly config: EngineConfig;
  readonly #options: InstanceOptions;
  readonly #log: Logger;
  #state: InstanceState = { kind: "new" };
  readonly #storage: EngineStorage;
  #process: EngineProcess | undefined;
  #client: DrpcClient | undefined;
  #ready: PromiseWithResolvers<EngineReady> | undefined;
  #formatted: PromiseWithResolvers<void> = Promise.withResolvers();
  #stopping = false;

  constructor(options: InstanceOptions) {
    this.config = options.config;
    this.#options = options;
    this.#log = options.log;
    this.#storage = new EngineStorage(options);
  }

  get index(): number {
    return this.config.index;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** The identity of this engine; undefined until its storage is formatted. */
  get superblock(): Superblock | undefined {
    return this.#storage.superblock;
  }

  /** Process id of the running engine. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * The life of the engine: waits for storage, starts it, keeps it in service, starts it again when it dies. Resolves
   * when it was stopped. @throws Fault that ends it for good
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#awaitStorage(signal);
      if (!this.#options.provisionOnly) await this.#supervise(signal);
      this.#state = { kind: "stopped" };
    } catch (error) {
      if (signal.aborted) {
        this.#state = { kind: "stopped" };
        return;
      }
      const fault = toFault(error);
      this.#state = { kind: "failed", fault };
      throw fault;
    }
  }

  /** Takes the engine's own announcement. @throws Fault when what it announces is not a socket */
  async notifyReady(ready: EngineReady): Promise<void> {
    await checkSocket(ready.socket);
    if (this.#ready === undefined) throw faultEngineNotRunning(this.index, this.#state.kind);
    this.#ready.resolve(ready);
  }

  /** Calls the engine. @throws Fault when it is not serving, or when the call fails */
  async call<I extends Body, O extends Body>(
    method: DrpcMethod<I, O>,
    request: BodyInit<I>,
    options: { readonly signal: AbortSignal },
  ): Promise<BodyMessage<O>> {
    if (this.#client === undefined || this.#state.kind !== "serving") {
      throw faultEngineNotRunning(this.index, this.#state.kind);
    }
    return this.#client.call(method, request, options);
  }

  /** KillRank is on its way: any end of the process is what was asked for, and after a grace period it is killed. */
  expectStop(): void {
    this.#stopping = true;
    const doomed = this.#process;
    setTimeout(() => doomed?.kill(), STOP_GRACE_MS).unref();
  }

  /** Ends the engine's process: asked first, made to after a deadline. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#process?.stop(STOP_GRACE_MS);
  }

  /** Formats this engine's storage as its configuration says. Never throws: each failure is part of the result. */
  async format(options: EngineFormatOptions): Promise<InstanceFormatResult> {
    const { mount } = this.config.scm;
    if (this.#state.kind !== "awaiting format") {
      return { mount, scmFault: faultFormatNotAwaited(this.index, mount, this.#state), bdevs: [] };
    }
    const waiting = this.#state;
    this.#state = { kind: "formatting" };
    const result = await this.#storage.format(options);
    this.#state = waiting;
    if (firstFault(result) === undefined) this.#formatted.resolve();
    return result;
  }

  /** Returns with a superblock at hand, waiting for a format where it needs one. */
  async #awaitStorage(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const reason = await this.#storage.open({ signal });
      if (reason === undefined) return;
      this.#formatted = Promise.withResolvers();
      this.#state = { kind: "awaiting format", reason };
      if (this.#options.autoFormat && (await this.#autoFormat(signal))) continue;
      this.#log.info(`waiting for "dmg storage format": ${reason}`, { mount: this.config.scm.mount });
      await abortable(this.#formatted.promise, signal);
      await this.#storage.createSuperblock();
    }
  }

  async #autoFormat(signal: AbortSignal): Promise<boolean> {
    const fault = firstFault(await this.format({ reformat: false, signal }));
    if (fault === undefined) {
      await this.#storage.createSuperblock();
      return true;
    }
    this.#log.error("storage could not be formatted automatically", { fault });
    return false;
  }

  async #supervise(signal: AbortSignal): Promise<void> {
    let hasServed = false;
    let failuresInARow = 0;
    while (!this.#stopping) {
      const begun = Date.now();
      const served = await this.#runOnce(signal);
      hasServed ||= served.reachedService;
      if (this.#stopping || signal.aborted) return;
      failuresInARow = Date.now() - begun > STABLE_MS ? 1 : failuresInARow + 1;
      const plan = planRestart({ hasServed, failuresInARow }, Math.random());
      if (plan.kind === "give-up") {
        this.#log.error(`engine is not started again: ${plan.reason}`, { fault: served.fault });
        throw served.fault;
      }
      this.#log.warn("engine is started again", { reason: served.fault.message, delayMs: plan.delayMs });
      this.#state = { kind: "restarting", reason: served.fault.message };
      await delay(plan.delayMs, { signal });
    }
  }

  /** One process from start to end. Returns why it ended. */
  async #runOnce(signal: AbortSignal): Promise<{ readonly reachedService: boolean; readonly fault: Fault }> {
    this.#state = { kind: "starting" };
    this.#ready = Promise.withResolvers();
    const started = await this.#start(signal);
    this.#process = started;
    const stop = () => void this.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    let fault: Fault | undefined;
    let reachedService = false;
    try {
      await this.#takeIntoService(started, signal);
      reachedService = true;
    } catch (error) {
      fault = toFault(error);
      if (!signal.aborted) this.#log.error("engine could not be taken into service", { fault });
      await started.stop(STOP_GRACE_MS);
    }
    const exit = await started.exited;
    signal.removeEventListener("abort", stop);
    this.#process = undefined;
    this.#ready = undefined;
    this.#client?.close();
    this.#client = undefined;
    this.#log.info("engine ended", { pid: started.pid, exit: showExit(exit) });
    const phase = reachedService ? "while it was serving" : "before it was serving";
    return { reachedService, fault: fault ?? this.#exitFault(exit, phase) };
  }

  async #start(signal: AbortSignal): Promise<EngineProcess> {
    const { findEngine, ofiDomain, environment } = this.#options;
    const executable = await findEngine();
    const nvmeConf = await this.#storage.prepareBdevs({ signal });
    const args = engineArguments(this.config, { shmId: sharedMemoryId(hostname(), process.pid), nvmeConf });
    const env = engineEnvironment(this.config, { ...process.env, ...environment }, ofiDomain);
    const { index } = this;
    const started = await EngineProcess.start({ index, executable, args, env, log: this.#options.engineLog });
    this.#log.info("engine started", { pid: started.pid, executable });
    return started;
  }

  async #takeIntoService(started: EngineProcess, signal: AbortSignal): Promise<void> {
    const { superblock } = this.#storage;
    if (superblock === undefined || this.#ready === undefined)
      throw new Error("an engine was started without storage");
    const ready = await this.#awaitReady(started, this.#ready.promise, signal);
    this.#log.info("engine ready", { pid: started.pid, uri: ready.uri });
    const client = await DrpcClient.connect(ready.socket, { signal });
    this.#client = client;
    const work = setUpEngine(
      ready,
      superblock,
      {
        join: this.#options.join,
        setRank: async (rank, options) => (await client.call(drpcMethods.setRank, { rank }, options)).status,
        createMs: async ({ bootstrap, uuid, address }, options) =>
          (await client.call(drpcMethods.createMs, { bootstrap, uuid, addr: address }, options)).status,
        startMs: async (options) => (await client.call(drpcMethods.startMs, undefined, options)).status,
        setUp: async (options) => (await client.call(drpcMethods.setUp, undefined, options)).status,
        writeSuperblock: (next) => this.#storage.writeSuperblock(next),
      },
      { msAddress: this.#options.msAddress, signal },
    );
    const { rank } = await Promise.race([work, this.#endsWith(started, "before it was serving")]);
    this.#state = { kind: "serving", rank, ready };
    await this.#options.onServing(this);
    this.#log.info("engine serving", { rank, uuid: superblock.uuid, pid: started.pid });
  }

  async #awaitReady(
    started: EngineProcess,
    ready: Promise<EngineReady>,
    parent: AbortSignal,
  ): Promise<EngineReady> {
    const { readyTimeoutMs } = this.#options;
    using limit = deadline(readyTimeoutMs, "engine to call NotifyReady", parent);
    try {
      return await abortable(
        Promise.race([ready, this.#endsWith(started, "before it was ready")]),
        limit.signal,
      );
    } catch (error) {
      if (parent.aborted || !limit.signal.aborted) throw error;
      throw faultEngineNotReady(this.index, readyTimeoutMs, this.config.logFile);
    }
  }

  /** Never resolves; rejects when the process ends. */
  async #endsWith(started: EngineProcess, phase: string): Promise<never> {
    throw this.#exitFault(await started.exited, phase);
  }

  #exitFault(exit: EngineExit, phase: string): Fault {
    return faultEngineExited(this.index, showExit(exit), phase, this.config.logFile);
  }
}

async function checkSocket(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSocket()) return;
  } catch (error) {
    throw faultNotifyReadySocket(path, toFault(error).description);
  }
  throw faultNotifyReadySocket(path, "it is not a socket");
}

function firstFault({ scmFault, bdevs }: InstanceFormatResult): Fault | undefined {
  return scmFault ?? bdevs.find(({ fault }) => fault !== undefined)?.fault;
}
