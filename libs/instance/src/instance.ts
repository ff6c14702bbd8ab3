import { hostname } from "node:os";
import type { EngineConfig } from "@daos/config";
import type { Body, BodyInit, BodyMessage, DrpcMethod } from "@daos/drpc";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Rank } from "@daos/rank";
import type { Superblock } from "@daos/superblock";
import { abortable } from "@daos/sys";
import type { DataPlane } from "./data-plane/data-plane.ts";
import { dataPlane080 } from "./data-plane/release-0-8-0.ts";
import type { EngineReady, Joined, JoinRequest, SetUpResult } from "./data-plane/set-up-engine.ts";
import { EngineClient } from "./engine-client.ts";
import { type EngineExit, showExit } from "./engine-process.ts";
import type { EngineFormatOptions, EngineStorageOptions, InstanceFormatResult } from "./engine-storage.ts";
import {
  faultEngineExited,
  faultEngineNotReady,
  faultEngineNotRunning,
  faultEngineRuns,
  faultFormatNotAwaited,
} from "./faults.ts";
import { type InstanceParts, type ProcessPart, realParts, type StoragePart } from "./instance-parts.ts";
import { probeLiveness } from "./probe-liveness.ts";
import { type EngineRun, supervise } from "./supervise.ts";

/** Where an engine is in its life. */
export type InstanceState =
  /** Its storage has not been looked at yet. */
  | { readonly kind: "new" }
  /** Its storage waits for `storage format`. */
  | { readonly kind: "awaiting format"; readonly reason: string }
  /** Its storage is being formatted, or has been and gets its identity. */
  | { readonly kind: "formatting" }
  /** Its process runs, but is not in service yet; `reason` is why the one before ended. */
  | { readonly kind: "starting"; readonly reason: string }
  /** It is a member of the system, and in order unless {@link servingProblem} says why not. */
  | {
      readonly kind: "serving";
      readonly rank: Rank;
      readonly ready: EngineReady;
      /** For how long it has not answered. */
      readonly unresponsive?: string | undefined;
      /** Its storage is not what it was started on. */
      readonly storageFault?: Fault | undefined;
    }
  /** It ended unasked and is about to be started again. */
  | { readonly kind: "restarting"; readonly reason: string }
  /** It ended because it was asked to, and waits to be started. */
  | { readonly kind: "stopped" }
  /** It is not started again unasked. */
  | { readonly kind: "failed"; readonly fault: Fault };

/** Why an engine whose process serves is not in order; undefined when it is. */
export function servingProblem(state: InstanceState & { readonly kind: "serving" }): string | undefined {
  return state.storageFault?.message ?? state.unresponsive;
}

export interface InstanceOptions extends EngineStorageOptions {
  /** What the engine's release can and expects; 0.8.0 by default. */
  readonly dataPlane?: DataPlane | undefined;
  /** `host:port` of this host as an access point. */
  readonly msAddress: string;
  /** Path of `daos_io_server`, looked up at each start. @throws Fault engineNotFound */
  readonly findEngine: () => Promise<string>;
  readonly join: (request: JoinRequest, options: { readonly signal: AbortSignal }) => Promise<Joined>;
  /** Its storage is mounted and has a superblock. The engine is started once this has resolved, and fails with it. */
  readonly onStorageReady: (
    instance: EngineInstance,
    options: { readonly signal: AbortSignal },
  ) => Promise<void>;
  /** The lock on its storage, which its process inherits. */
  readonly lockFd?: (() => number | undefined) | undefined;
  /** Looks whether what else the server keeps in the storage is still there. @throws Fault storageLost */
  readonly verifyStorage?: ((instance: EngineInstance) => Promise<void>) | undefined;
  /** Its storage is about to lose its identity; whatever is open there has to be closed. */
  readonly onStorageReleased: (instance: EngineInstance) => Promise<void>;
  /** Its state has changed. */
  readonly onChange: (instance: EngineInstance) => void;
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

/** An engine that was asked to end gets so long before it is killed, ms. */
const STOP_GRACE_MS = 10_000;
/** As {@link STOP_GRACE_MS}, when it is to be stopped by force. */
const FORCED_GRACE_MS = 1_000;

/** Time between two looks at the storage of an engine that serves, ms: no longer than that between two reports. */
const STORAGE_CHECK_MS = 5_000;

/** Our record of one engine: its storage, its superblock, its process and the way to call it. */
export class EngineInstance {
  readonly config: EngineConfig;
  readonly #options: InstanceOptions;
  readonly #log: Logger;
  readonly #dataPlane: DataPlane;
  #state: InstanceState = { kind: "new" };
  readonly #parts: InstanceParts;
  readonly #storage: StoragePart;
  #process: ProcessPart | undefined;
  #client: EngineClient | undefined;
  #ready: PromiseWithResolvers<EngineReady> | undefined;
  /** Ends the wait for a format: there has been one, or the storage is to be looked at again. */
  #formatEnded: PromiseWithResolvers<"formatted" | "look again"> = Promise.withResolvers();
  /** Set while the engine waits to be started. */
  #wake: (() => void) | undefined;
  /** Set while the engine is kept in service; resolves with that. */
  #supervision: Promise<void> | undefined;
  /** Set while the identity of the engine is taken away. */
  #erasure: Promise<void> | undefined;
  /** Ends the pause before the engine is started again. */
  #endPause = () => {};
  #startAsked = false;
  #stopAsked = false;
  #hasServed = false;
  /** Its replica of the data plane's management service has been started, and only its join is left. */
  #replicaJoins = false;
  #incarnation = 0;
  #starts = 0;

  /** @param parts what it is made of, where that is not this machine */
  constructor(options: InstanceOptions, parts: InstanceParts = realParts) {
    this.config = options.config;
    this.#options = options;
    this.#log = options.log;
    this.#dataPlane = options.dataPlane ?? dataPlane080;
    this.#parts = parts;
    this.#storage = parts.openStorage(options);
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

  /** It answers as a replica of the data plane's management service, also while it joins, which it does last. */
  get runsReplica(): boolean {
    if (this.superblock?.ms !== true) return false;
    return this.#state.kind === "serving" ? servingProblem(this.#state) === undefined : this.#replicaJoins;
  }

  /** It has been in service since the server started. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** How often it has been started again since the server started. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** Of the join of the process that runs now; 0 before it has joined. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /**
   * The life of the engine: waits for storage, starts it, keeps it in service, starts it again when it dies, and when it
   * was stopped or has failed waits for {@link start}. Resolves when `signal` aborts, or when storage is all that it is for.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#startAsked = false;
      this.#stopAsked = false;
      try {
        await this.#awaitStorage(signal);
        await this.#options.onStorageReady(this, { signal });
        if (this.#options.provisionOnly) break;
        this.#supervision = this.#supervise(signal);
        await this.#supervision;
      } catch (error) {
        if (signal.aborted) break;
        this.#setState({ kind: "failed", fault: toFault(error) });
      } finally {
        this.#supervision = undefined;
      }
      await this.#awaitStart(signal);
    }
    this.#setState({ kind: "stopped" });
  }

  async #awaitStart(signal: AbortSignal): Promise<void> {
    if (!this.#startAsked) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await abortable(promise, signal).catch(() => {});
      this.#wake = undefined;
    }
    // The storage is not opened again while its identity is removed.
    if (this.#erasure !== undefined) await abortable(this.#erasure, signal).catch(() => {});
  }

  #setState(state: InstanceState): void {
    this.#state = state;
    this.#options.onChange(this);
  }

  /** Takes the engine's own announcement. @throws Fault when what it announces is not a socket */
  async notifyReady(ready: EngineReady): Promise<void> {
    await this.#parts.checkSocket(ready.socket);
    if (this.#ready === undefined) throw faultEngineNotRunning(this.index, this.#state.kind);
    this.#ready.resolve(ready);
  }

  /** Calls the engine. @throws Fault when it neither serves nor {@link runsReplica}, or when the call fails */
  async call<I extends Body, O extends Body>(
    method: DrpcMethod<I, O>,
    request: BodyInit<I>,
    options: { readonly signal: AbortSignal },
  ): Promise<BodyMessage<O>> {
    return this.#servingClient().call(method, request, options);
  }

  #servingClient(): EngineClient {
    if (this.#client === undefined || (this.#state.kind !== "serving" && !this.#replicaJoins)) {
      throw faultEngineNotRunning(this.index, this.#state.kind);
    }
    return this.#client;
  }

  /**
   * Starts an engine that was stopped, is being stopped or erased, or has failed; one that runs goes on. Storage that waits
   * for a format is looked at again: it may have been lost, and be there again.
   */
  start(): void {
    if (this.#state.kind === "awaiting format") this.#formatEnded.resolve("look again");
    if (this.#wake === undefined && !this.#stopAsked) return;
    this.#startAsked = true;
    this.#wake?.();
  }

  /**
   * Stops the engine, and resolves when its process has ended and is not started again. One that serves is told by
   * KillRank: it may end before it has answered, or linger after it has, and is killed after a grace period. A stop that
   * has begun is carried out also when `signal` ends the wait for it: an engine that was told must not be started again.
   *
   * @returns the engine's status: 0, or its refusal
   */
  async stop(options: { readonly force: boolean; readonly signal: AbortSignal }): Promise<number> {
    options.signal.throwIfAborted();
    return abortable(this.#stop(options.force), options.signal);
  }

  async #stop(force: boolean): Promise<number> {
    this.#stopAsked = true;
    this.#startAsked = false;
    this.#endPause();
    const doomed = this.#process;
    const supervision = this.#supervision;
    const status = this.#state.kind === "serving" ? await this.#killRank(force) : 0;
    if (status !== 0 && !force) {
      this.#stopAsked = false;
      return status;
    }
    await Promise.allSettled([doomed?.stop(force ? FORCED_GRACE_MS : STOP_GRACE_MS), supervision]);
    return 0;
  }

  async #killRank(force: boolean): Promise<number> {
    const rank = this.superblock?.rank ?? 0;
    using limit = this.#parts.clock.deadline(force ? FORCED_GRACE_MS : STOP_GRACE_MS, `kill rank ${rank}`);
    try {
      return await this.#dataPlane.stop(this.#servingClient(), { rank, force }, limit);
    } catch (error) {
      this.#log.info("the engine did not answer KillRank", { rank, reason: toFault(error).message });
      return 0;
    }
  }

  /**
   * Takes the identity of a stopped engine away; its storage has to be formatted again.
   *
   * @throws Fault engineRuns, or about the storage
   */
  async erase(): Promise<void> {
    if (this.#state.kind !== "stopped" && this.#state.kind !== "failed")
      throw faultEngineRuns(this.index, this.#state.kind);
    this.#erasure ??= this.#erase().finally(() => {
      this.#erasure = undefined;
    });
    await this.#erasure;
    this.start();
  }

  async #erase(): Promise<void> {
    await this.#options.onStorageReleased(this);
    await this.#storage.erase();
    this.#incarnation = 0;
  }

  /** Formats this engine's storage as its configuration says. Never throws: each failure is part of the result. */
  async format(options: EngineFormatOptions): Promise<InstanceFormatResult> {
    const { mount } = this.config.scm;
    if (this.#state.kind !== "awaiting format") {
      return { mount, scmFault: faultFormatNotAwaited(this.index, mount, this.#state), bdevs: [] };
    }
    const waiting = this.#state;
    this.#setState({ kind: "formatting" });
    const result = await this.#releaseAndFormat(options);
    // What is formatted is not to be formatted again before its engine has been started on it.
    if (firstFault(result) === undefined) this.#formatEnded.resolve("formatted");
    else this.#setState(waiting);
    return result;
  }

  async #releaseAndFormat(options: EngineFormatOptions): Promise<InstanceFormatResult> {
    try {
      // Lost storage of an engine that has served may still be open.
      if (this.superblock !== undefined) await this.#options.onStorageReleased(this);
    } catch (error) {
      return { mount: this.config.scm.mount, scmFault: toFault(error), bdevs: [] };
    }
    return this.#storage.format(options);
  }

  /** Returns with a superblock at hand, waiting for a format where it needs one. */
  async #awaitStorage(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const reason = await this.#storage.open({ signal });
      if (reason === undefined) return;
      this.#formatEnded = Promise.withResolvers();
      this.#setState({ kind: "awaiting format", reason });
      // Storage that was lost is not replaced unasked.
      const isNew = this.superblock === undefined;
      if (isNew && this.#options.autoFormat && (await this.#autoFormat(signal))) continue;
      this.#log.info(`waiting for "dmg storage format": ${reason}`, { mount: this.config.scm.mount });
      const end = await abortable(this.#formatEnded.promise, signal);
      if (end === "formatted") await this.#storage.createSuperblock();
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
    let reason = "";
    const end = await supervise(
      {
        runOnce: (wait) => this.#runOnce(reason, wait.signal),
        stopAsked: () => this.#stopAsked,
        onRestart: (fault, delayMs) => {
          reason = fault.message;
          this.#log.warn("engine is started again", { reason, delayMs });
          this.#setState({ kind: "restarting", reason });
        },
        pause: (ms, wait) => this.#pause(ms, wait.signal),
        clock: this.#parts.clock,
      },
      { hasServed: this.#hasServed, signal },
    );
    if (end.kind === "stopped") {
      this.#setState({ kind: "stopped" });
      return;
    }
    this.#log.error(`engine is not started again: ${end.reason}`, { fault: end.fault });
    this.#setState({ kind: "failed", fault: end.fault });
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    this.#endPause = () => pause.abort();
    await this.#parts.clock
      .delay(ms, { signal: AbortSignal.any([signal, pause.signal]) })
      .catch(() => signal.throwIfAborted());
  }

  /** One process from start to end, or why there is none. `reason` is why the one before ended. */
  async #runOnce(reason: string, signal: AbortSignal): Promise<EngineRun> {
    this.#incarnation = 0;
    this.#replicaJoins = false;
    this.#setState({ kind: "starting", reason });
    this.#ready = Promise.withResolvers();
    let started: ProcessPart;
    try {
      started = await this.#start(signal);
    } catch (error) {
      this.#ready = undefined;
      return { reachedService: false, fault: toFault(error) };
    }
    this.#process = started;
    this.#starts++;
    const end = () => void started.stop(STOP_GRACE_MS);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted || this.#stopAsked) end();
    let fault: Fault | undefined;
    let reachedService = false;
    try {
      await this.#takeIntoService(started, signal);
      reachedService = true;
      this.#hasServed = true;
    } catch (error) {
      fault = toFault(error);
      if (!signal.aborted && !this.#stopAsked)
        this.#log.error("engine could not be taken into service", { fault });
      await started.stop(STOP_GRACE_MS);
    }
    const over = new AbortController();
    if (reachedService) {
      this.#probeLiveness(over.signal);
      this.#watchStorage(over.signal);
    }
    const exit = await started.exited;
    over.abort(new DOMException("the engine has ended", "AbortError"));
    signal.removeEventListener("abort", end);
    this.#process = undefined;
    this.#ready = undefined;
    this.#replicaJoins = false;
    this.#client?.close();
    this.#client = undefined;
    this.#log.info("engine ended", { pid: started.pid, exit: showExit(exit) });
    const phase = reachedService ? "while it was serving" : "before it was serving";
    return { reachedService, fault: fault ?? this.#exitFault(exit, phase) };
  }

  /** A hung engine is reported, and left to the operator: it may be in the middle of writing. */
  #probeLiveness(signal: AbortSignal): void {
    const probing = probeLiveness({
      ping: async (wait) => {
        if (this.#client !== undefined) await this.#dataPlane.ping(this.#client, wait);
      },
      onUnresponsive: (ms) => {
        if (this.#state.kind !== "serving") return;
        const unresponsive =
          ms === undefined ? undefined : `it has not answered for ${Math.round(ms / 1000)} s, and still runs`;
        if (unresponsive === undefined) this.#log.info("engine answers again");
        else this.#log.error("engine does not answer", { pid: this.pid, reason: unresponsive });
        this.#setState({ ...this.#state, unresponsive });
      },
      clock: this.#parts.clock,
      signal,
    });
    probing.catch(() => {});
  }

  /** An engine whose storage has gone from its place runs on, and is reported: clients may still need what it has. */
  #watchStorage(signal: AbortSignal): void {
    const watching = async () => {
      for (;;) {
        await this.#parts.clock.delay(STORAGE_CHECK_MS, { signal });
        const storageFault = await this.#verifyStorage().then(() => undefined, toFault);
        signal.throwIfAborted();
        if (this.#state.kind !== "serving" || this.#state.storageFault?.message === storageFault?.message)
          continue;
        if (storageFault === undefined) this.#log.info("the engine's storage is there again");
        else
          this.#log.error("the storage of a running engine is lost", { pid: this.pid, fault: storageFault });
        this.#setState({ ...this.#state, storageFault });
      }
    };
    watching().catch(() => {});
  }

  /** @throws Fault storageLost */
  async #verifyStorage(): Promise<void> {
    await this.#storage.verify();
    await this.#options.verifyStorage?.(this);
  }

  async #start(signal: AbortSignal): Promise<ProcessPart> {
    const { findEngine, ofiDomain, environment } = this.#options;
    const executable = await findEngine();
    await this.#verifyStorage();
    const nvmeConf = await this.#storage.prepareBdevs({ signal });
    const { args, env } = this.#dataPlane.command(this.config, {
      host: hostname(),
      pid: process.pid,
      nvmeConf,
      environment: { ...process.env, ...environment },
      ofiDomain,
    });
    const { index } = this;
    const { startProcess } = this.#parts;
    const lockFd = this.#options.lockFd?.();
    const started = await startProcess({
      index,
      executable,
      args,
      env,
      lockFd,
      log: this.#options.engineLog,
    });
    this.#log.info("engine started", { pid: started.pid, executable });
    return started;
  }

  async #takeIntoService(started: ProcessPart, signal: AbortSignal): Promise<void> {
    const { superblock } = this.#storage;
    if (superblock === undefined || this.#ready === undefined)
      throw new Error("an engine was started without storage");
    const ready = await this.#awaitReady(started, this.#ready.promise, signal);
    this.#log.info("engine ready", { pid: started.pid, uri: ready.uri });
    // It may have been started on what was left just after the last look; then it must not join.
    await this.#verifyStorage();
    const over = new AbortController();
    const work = this.#setUp(ready, superblock, AbortSignal.any([signal, over.signal]));
    try {
      const { rank } = await Promise.race([work, this.#endsWith(started, "before it was serving")]);
      this.#setState({ kind: "serving", rank, ready });
      this.#log.info("engine serving", { rank, uuid: superblock.uuid, pid: started.pid });
    } finally {
      // Nothing is asked for a process that has ended, or written after it.
      over.abort(new DOMException("the engine has ended", "AbortError"));
      await work.catch(() => {});
    }
  }

  async #setUp(ready: EngineReady, superblock: Superblock, signal: AbortSignal): Promise<SetUpResult> {
    const connect = (wait: { readonly signal: AbortSignal }) => this.#parts.connect(ready.socket, wait);
    const client = new EngineClient(await connect({ signal }), async (wait) => {
      const connection = await connect(wait);
      this.#log.warn("the dRPC connection to the engine was lost; there is another one", { pid: this.pid });
      return connection;
    });
    this.#client = client;
    return this.#dataPlane.setUp(
      client,
      { ready, superblock },
      {
        join: async (request, options) => {
          if (request.recorded) {
            // Its join may be its own to answer: after a restart of all replicas none serves before it.
            this.#replicaJoins = true;
            this.#options.onChange(this);
          }
          const joined = await this.#options.join(request, options);
          this.#incarnation = joined.incarnation;
          return joined.rank;
        },
        writeSuperblock: (next) => this.#storage.writeSuperblock(next),
      },
      { msAddress: this.#options.msAddress, signal, clock: this.#parts.clock },
    );
  }

  async #awaitReady(
    started: ProcessPart,
    ready: Promise<EngineReady>,
    parent: AbortSignal,
  ): Promise<EngineReady> {
    const { readyTimeoutMs } = this.#options;
    using limit = this.#parts.clock.deadline(readyTimeoutMs, "engine to call NotifyReady", parent);
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
  async #endsWith(started: ProcessPart, phase: string): Promise<never> {
    throw this.#exitFault(await started.exited, phase);
  }

  #exitFault(exit: EngineExit, phase: string): Fault {
    return faultEngineExited(this.index, showExit(exit), phase, this.config.logFile);
  }
}

function firstFault({ scmFault, bdevs }: InstanceFormatResult): Fault | undefined {
  return scmFault ?? bdevs.find(({ fault }) => fault !== undefined)?.fault;
}
