import { hostname } from "node:os";
import type { EngineConfig } from "@daos/config";
import type { Body, BodyInit, BodyMessage, DrpcMethod } from "@daos/drpc";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Superblock } from "@daos/superblock";
import { abortable } from "@daos/sys";
import type { DataPlane } from "./data-plane/data-plane.ts";
import { dataPlane080 } from "./data-plane/release-0-8-0.ts";
import type { EngineReady, Joined, JoinRequest } from "./data-plane/set-up-engine.ts";
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
import {
  awaitingFormat,
  clientOf,
  type Failed,
  failed,
  type HeldState,
  processOf,
  restarting,
  type Serving,
  type Starting,
  type Stopped,
  serving,
  starting,
  stopped,
} from "./held-state.ts";
import { type InstanceParts, type ProcessPart, realParts, type StoragePart } from "./instance-parts.ts";
import { type InstanceState, servingProblem } from "./instance-state.ts";
import { probeLiveness } from "./probe-liveness.ts";
import { type EngineRun, supervise } from "./supervise.ts";

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

/** A format that is asked for right after the start waits so long for the first look at the storage, ms. */
const FIRST_LOOK_MS = 15_000;

/** Time between two looks at the storage of an engine that serves, ms: no longer than that between two reports. */
const STORAGE_CHECK_MS = 5_000;

/** An engine that is a member of the system, and the way to call it. */
type JoinedEngine = Pick<Serving, "client" | "rank">;

/** Our record of one engine: its storage, its superblock, its process and the way to call it. */
export class EngineInstance {
  readonly config: EngineConfig;
  readonly #options: InstanceOptions;
  readonly #log: Logger;
  readonly #dataPlane: DataPlane;
  readonly #parts: InstanceParts;
  readonly #storage: StoragePart;
  #state: HeldState = { kind: "new" };
  /** What was asked of the engine last, however far it has come. */
  #wish: "run" | "stop" | "stop, then start" = "run";
  /** Set while the engine is kept in service; resolves with how that ended. */
  #service: Promise<Stopped | Failed> | undefined;
  /** Its storage has been looked at. */
  readonly #lookedAt = Promise.withResolvers<void>();
  #hasServed = false;
  #incarnation = 0;
  #starts = 0;
  #startedAt = 0;

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
    return processOf(this.#state)?.pid;
  }

  /** It answers as a replica of the data plane's management service, also while it joins, which it does last. */
  get runsReplica(): boolean {
    if (this.superblock?.ms !== true) return false;
    const state = this.#state;
    if (state.kind === "serving") return servingProblem(state) === undefined;
    return state.kind === "starting" && state.replica !== undefined;
  }

  /** It has been in service since the server started. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** When the process that runs was started, ms since 1970; undefined for none. */
  get startedAt(): number | undefined {
    return this.pid === undefined ? undefined : this.#startedAt;
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
      const idle = await this.#prepareAndServe(signal);
      if (idle === undefined) break;
      await this.#awaitStart(idle, signal);
    }
    this.#enter(stopped());
  }

  /** From storage to the end of service. @returns undefined when there is nothing more to do for this instance */
  async #prepareAndServe(signal: AbortSignal): Promise<Stopped | Failed | undefined> {
    this.#wish = "run";
    try {
      await this.#awaitStorage(signal);
      await this.#options.onStorageReady(this, { signal });
      if (this.#options.provisionOnly) return undefined;
      this.#service = this.#keepInService(signal);
      return await this.#service;
    } catch (error) {
      return signal.aborted ? undefined : this.#enter(failed(toFault(error)));
    } finally {
      this.#service = undefined;
    }
  }

  async #awaitStart(idle: Stopped | Failed, signal: AbortSignal): Promise<void> {
    if (this.#wish !== "stop, then start") await abortable(idle.startAsked.promise, signal).catch(() => {});
    // The storage is not opened again while its identity is removed.
    if (idle.erasure !== undefined) await abortable(idle.erasure, signal).catch(() => {});
  }

  #enter<State extends HeldState>(state: State): State {
    this.#state = state;
    this.#lookedAt.resolve();
    this.#options.onChange(this);
    return state;
  }

  /** Takes the engine's own announcement. @throws Fault when what it announces is not a socket */
  async notifyReady(ready: EngineReady): Promise<void> {
    await this.#parts.checkSocket(ready.socket);
    const state = this.#state;
    if (state.kind === "starting") state.announced.resolve(ready);
    // An engine that serves may announce itself again; what it said first holds.
    else if (state.kind !== "serving") throw faultEngineNotRunning(this.index, state.kind);
  }

  /** Calls the engine. @throws Fault when it neither serves nor {@link runsReplica}, or when the call fails */
  async call<I extends Body, O extends Body>(
    method: DrpcMethod<I, O>,
    request: BodyInit<I>,
    options: { readonly signal: AbortSignal },
  ): Promise<BodyMessage<O>> {
    const client = clientOf(this.#state);
    if (client === undefined) throw faultEngineNotRunning(this.index, this.#state.kind);
    return client.call(method, request, options);
  }

  /**
   * Starts an engine that was stopped, is being stopped or erased, or has failed; one that runs goes on. Storage that waits
   * for a format is looked at again: it may have been lost, and be there again.
   */
  start(): void {
    const state = this.#state;
    switch (state.kind) {
      case "new":
      case "formatting":
        this.#wish = "run";
        return;
      case "awaiting format":
        this.#wish = "run";
        state.formatEnded.resolve("look again");
        return;
      case "starting":
      case "serving":
      case "restarting":
        if (this.#wish === "stop") this.#wish = "stop, then start";
        return;
      case "stopped":
      case "failed":
        this.#wish = "run";
        state.startAsked.resolve();
        return;
      default:
        state satisfies never;
    }
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
    // By the time the engine has answered, another process and another service may have begun.
    const state = this.#state;
    const process = processOf(state);
    const service = this.#service;
    this.#wish = "stop";
    if (state.kind === "restarting") state.pause.abort();
    const status = state.kind === "serving" ? await this.#killRank(state, force) : 0;
    if (status !== 0 && !force) {
      this.#wish = "run";
      return status;
    }
    await Promise.allSettled([process?.stop(force ? FORCED_GRACE_MS : STOP_GRACE_MS), service]);
    return 0;
  }

  async #killRank({ client }: Serving, force: boolean): Promise<number> {
    const rank = this.superblock?.rank ?? 0;
    using limit = this.#parts.clock.deadline(force ? FORCED_GRACE_MS : STOP_GRACE_MS, `kill rank ${rank}`);
    try {
      return await this.#dataPlane.stop(client, { rank, force }, limit);
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
    const state = this.#state;
    if (state.kind !== "stopped" && state.kind !== "failed") throw faultEngineRuns(this.index, state.kind);
    state.erasure ??= this.#erase().finally(() => {
      state.erasure = undefined;
    });
    await state.erasure;
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
    await this.#firstLook(options.signal);
    if (this.#state.kind !== "awaiting format") {
      return { mount, scmFault: faultFormatNotAwaited(this.index, mount, this.#state), bdevs: [] };
    }
    const waiting = this.#state;
    this.#enter({ kind: "formatting" });
    const result = await this.#releaseAndFormat(options);
    // What is formatted is not to be formatted again before its engine has been started on it.
    if (firstFault(result) === undefined) waiting.formatEnded.resolve("formatted");
    else this.#enter(waiting);
    return result;
  }

  /** Waits a moment while the storage is looked at for the first time. */
  async #firstLook(signal: AbortSignal): Promise<void> {
    if (this.#state.kind !== "new") return;
    using limit = this.#parts.clock.deadline(FIRST_LOOK_MS, "look at the storage", signal);
    await abortable(this.#lookedAt.promise, limit.signal).catch(() => {});
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
      const { formatEnded } = this.#enter(awaitingFormat(reason));
      // Storage that was lost is not replaced unasked.
      const isNew = this.superblock === undefined;
      if (isNew && this.#options.autoFormat && (await this.#autoFormat(signal))) continue;
      this.#log.info(`waiting for "dmg storage format": ${reason}`, { mount: this.config.scm.mount });
      const end = await abortable(formatEnded.promise, signal);
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

  /** Starts the engine, and starts it again whenever it ends unasked. @returns why it is not started once more */
  async #keepInService(signal: AbortSignal): Promise<Stopped | Failed> {
    let reason = "";
    const end = await supervise(
      {
        runOnce: (wait) => this.#runOnce(reason, wait.signal),
        stopAsked: () => this.#wish !== "run",
        restartAfter: (delayMs, fault, wait) => {
          reason = fault.message;
          return this.#restartAfter(delayMs, reason, wait.signal);
        },
        clock: this.#parts.clock,
      },
      { hasServed: this.#hasServed, signal },
    );
    if (end.kind === "stopped") return this.#enter(stopped());
    this.#log.error(`engine is not started again: ${end.reason}`, { fault: end.fault });
    return this.#enter(failed(end.fault));
  }

  async #restartAfter(delayMs: number, reason: string, signal: AbortSignal): Promise<void> {
    this.#log.warn("engine is started again", { reason, delayMs });
    const { pause } = this.#enter(restarting(reason));
    await this.#parts.clock
      .delay(delayMs, { signal: AbortSignal.any([signal, pause.signal]) })
      .catch(() => signal.throwIfAborted());
  }

  /** One process from start to end, or why there is none. `reason` is why the one before ended. */
  async #runOnce(reason: string, signal: AbortSignal): Promise<EngineRun> {
    this.#incarnation = 0;
    const state = this.#enter(starting(reason));
    try {
      state.process = await this.#startProcess(signal);
    } catch (error) {
      return { reachedService: false, fault: toFault(error) };
    }
    const { process } = state;
    this.#starts++;
    const end = () => void process.stop(STOP_GRACE_MS);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted || this.#wish !== "run") end();
    const run = await this.#serve(state, process, signal);
    signal.removeEventListener("abort", end);
    return run;
  }

  /**
   * What happens after a format, once the process runs: the engine announces itself, its storage is checked once more, it
   * joins, it serves until its process ends.
   */
  async #serve(state: Starting, process: ProcessPart, signal: AbortSignal): Promise<EngineRun> {
    const over = new AbortController();
    let fault: Fault | undefined;
    let client: EngineClient | undefined;
    try {
      const ready = await this.#awaitReady(state, process, signal);
      // It may have been started on what was left just after the last look; then it must not join.
      await this.#verifyStorage();
      const joined = await this.#join(ready, process, signal);
      client = joined.client;
      this.#hasServed = true;
      this.#enter(serving({ ...joined, ready, process }));
      this.#log.info("engine serving", { rank: joined.rank, uuid: this.superblock?.uuid, pid: process.pid });
      this.#probeLiveness(joined.client, over.signal);
      this.#watchStorage(over.signal);
    } catch (error) {
      fault = toFault(error);
      if (!signal.aborted && this.#wish === "run")
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
      ping: (wait) => this.#dataPlane.ping(client, wait),
      onUnresponsive: (ms) => {
        const state = this.#state;
        if (state.kind !== "serving") return;
        const unresponsive =
          ms === undefined ? undefined : `it has not answered for ${Math.round(ms / 1000)} s, and still runs`;
        if (unresponsive === undefined) this.#log.info("engine answers again");
        else this.#log.error("engine does not answer", { pid: this.pid, reason: unresponsive });
        this.#enter(serving({ ...state, unresponsive }));
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
        const state = this.#state;
        if (state.kind !== "serving" || state.storageFault?.message === storageFault?.message) continue;
        if (storageFault === undefined) this.#log.info("the engine's storage is there again");
        else
          this.#log.error("the storage of a running engine is lost", { pid: this.pid, fault: storageFault });
        this.#enter(serving({ ...state, storageFault }));
      }
    };
    watching().catch(() => {});
  }

  /** @throws Fault storageLost */
  async #verifyStorage(): Promise<void> {
    await this.#storage.verify();
    await this.#options.verifyStorage?.(this);
  }

  async #startProcess(signal: AbortSignal): Promise<ProcessPart> {
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
    const started = await this.#parts.startProcess({
      index: this.index,
      executable,
      args,
      env,
      lockFd: this.#options.lockFd?.(),
      log: this.#options.engineLog,
    });
    this.#startedAt = this.#parts.clock.wallTime();
    this.#log.info("engine started", { pid: started.pid, executable });
    return started;
  }

  async #awaitReady(state: Starting, process: ProcessPart, parent: AbortSignal): Promise<EngineReady> {
    const { readyTimeoutMs } = this.#options;
    using limit = this.#parts.clock.deadline(readyTimeoutMs, "engine to call NotifyReady", parent);
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
      throw faultEngineNotReady(this.index, readyTimeoutMs, this.config.logFile);
    }
  }

  /** Makes the engine a member of the system, unless its process ends meanwhile. */
  async #join(ready: EngineReady, process: ProcessPart, signal: AbortSignal): Promise<JoinedEngine> {
    const over = new AbortController();
    const joining = this.#setUp(ready, AbortSignal.any([signal, over.signal]));
    try {
      return await Promise.race([joining, this.#endsWith(process, "before it was serving")]);
    } catch (error) {
      // Nothing is asked for a process that has ended, or written after it.
      over.abort(new DOMException("the engine has ended", "AbortError"));
      await joining.then(({ client }) => client.close()).catch(() => {});
      throw error;
    }
  }

  async #setUp(ready: EngineReady, signal: AbortSignal): Promise<JoinedEngine> {
    const { superblock } = this.#storage;
    if (superblock === undefined) throw new Error("an engine was started without storage");
    const connect = (wait: { readonly signal: AbortSignal }) => this.#parts.connect(ready.socket, wait);
    const client = new EngineClient(await connect({ signal }), async (wait) => {
      const connection = await connect(wait);
      this.#log.warn("the dRPC connection to the engine was lost; there is another one", { pid: this.pid });
      return connection;
    });
    try {
      const { rank } = await this.#dataPlane.setUp(
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
          writeSuperblock: (next) => this.#storage.writeSuperblock(next),
        },
        { msAddress: this.#options.msAddress, signal, clock: this.#parts.clock },
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
    if (this.#state.kind !== "starting" || this.#state.replica === replica) return;
    this.#state.replica = replica;
    this.#options.onChange(this);
  }

  /** Never resolves; rejects when the process ends. */
  async #endsWith(process: ProcessPart, phase: string): Promise<never> {
    throw this.#exitFault(await process.exited, phase);
  }

  #exitFault(exit: EngineExit, phase: string): Fault {
    return faultEngineExited(this.index, showExit(exit), phase, this.config.logFile);
  }
}

function firstFault({ scmFault, bdevs }: InstanceFormatResult): Fault | undefined {
  return scmFault ?? bdevs.find(({ fault }) => fault !== undefined)?.fault;
}
