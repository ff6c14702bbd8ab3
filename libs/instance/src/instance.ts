import type { EngineConfig } from "@daos/config";
import type { Body, BodyInit, BodyMessage, DrpcMethod } from "@daos/drpc";
import { type Fault, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Superblock } from "@daos/superblock";
import { abortable } from "@daos/sys";
import type { DataPlane } from "./data-plane/data-plane.ts";
import { dataPlane080 } from "./data-plane/release-0-8-0.ts";
import type { EngineReady } from "./data-plane/set-up-engine.ts";
import {
  EngineRunner,
  type EngineRunnerOptions,
  type EngineRunnerPorts,
  STOP_GRACE_MS,
} from "./engine-runner.ts";
import type { EngineFormatOptions, EngineStorageOptions, InstanceFormatResult } from "./engine-storage.ts";
import { faultEngineNotRunning, faultEngineRuns, faultFormatNotAwaited } from "./faults.ts";
import {
  type AwaitingFormat,
  awaitingFormat,
  clientOf,
  type Failed,
  type FormatEnd,
  failed,
  type HeldState,
  processOf,
  restarting,
  type Serving,
  type Stopped,
  stopped,
} from "./held-state.ts";
import { type InstanceParts, realParts, type StoragePart } from "./instance-parts.ts";
import { type InstanceState, servingProblem } from "./instance-state.ts";
import { supervise } from "./supervise.ts";

export interface InstanceOptions extends EngineStorageOptions, EngineRunnerOptions {
  /** The data plane of the engine's release; 0.8.0 by default. */
  readonly dataPlane?: DataPlane | undefined;
  /** Its storage is mounted and has a superblock. The engine is started once this has resolved, and fails with it. */
  readonly onStorageReady: (
    instance: EngineInstance,
    options: { readonly signal: AbortSignal },
  ) => Promise<void>;
  /** Checks that the other files that the server keeps in the storage are still there. @throws Fault storageLost */
  readonly verifyStorage?: ((instance: EngineInstance) => Promise<void>) | undefined;
  /** Called before its storage loses its identity: every open file there must be closed. */
  readonly onStorageReleased: (instance: EngineInstance) => Promise<void>;
  /** Called after a change of its state. */
  readonly onChange: (instance: EngineInstance) => void;
  /** Formats storage that has never been formatted without being asked. */
  readonly autoFormat: boolean;
  /** Ends after the storage is ready, before the engine starts: root provisions, another user runs. */
  readonly provisionOnly: boolean;
}

/** As {@link STOP_GRACE_MS}, when it is to be stopped by force. */
const FORCED_GRACE_MS = 1_000;

/** How long a request that comes while the storage is being opened waits for that, ms. */
const LOOK_MS = 15_000;

/** The interval at which a namespace that is absent is looked for again, ms. */
const LOOK_AGAIN_MS = 5_000;

/** Our record of one engine: its storage, its superblock, its process and the way to call it. */
export class EngineInstance {
  readonly config: EngineConfig;
  readonly #options: InstanceOptions;
  readonly #log: Logger;
  readonly #dataPlane: DataPlane;
  readonly #parts: InstanceParts;
  readonly #storage: StoragePart;
  readonly #runner: EngineRunner;
  #state: HeldState = { kind: "new" };
  /** The last request for the engine, carried out or not. */
  #wish: "run" | "stop" | "stop, then start" = "run";
  /** Set while the engine is kept in service; resolves with how that ended. */
  #service: Promise<Stopped | Failed> | undefined;
  /** Resolves when its storage has been opened, for the first time or again. */
  #lookedAt = Promise.withResolvers<void>();
  #isLooking = true;

  /** @param parts the parts of the instance; those of this machine by default */
  constructor(options: InstanceOptions, parts: InstanceParts = realParts) {
    this.config = options.config;
    this.#options = options;
    this.#log = options.log;
    this.#dataPlane = options.dataPlane ?? dataPlane080;
    this.#parts = parts;
    this.#storage = parts.openStorage(options);
    this.#runner = new EngineRunner(options, this.#runnerPorts());
  }

  /** The part of this instance that the runner uses. */
  #runnerPorts(): EngineRunnerPorts {
    const held = () => this.#state;
    return {
      get state() {
        return held();
      },
      enter: (state) => this.#enter(state),
      onChange: () => this.#options.onChange(this),
      stopAsked: () => this.#wish !== "run",
      verifyStorage: async () => {
        await this.#storage.verify();
        await this.#options.verifyStorage?.(this);
      },
      storage: this.#storage,
      parts: this.#parts,
      dataPlane: this.#dataPlane,
    };
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

  /**
   * True while it answers as a replica of the data plane's management service, also during its join, which is its last
   * step.
   */
  get runsReplica(): boolean {
    if (this.superblock?.ms !== true) return false;
    const state = this.#state;
    if (state.kind === "serving") return servingProblem(state) === undefined;
    return state.kind === "starting" && state.replica !== undefined;
  }

  /** It has been in service since the server started. */
  get hasServed(): boolean {
    return this.#runner.hasServed;
  }

  /** When the process that runs was started, ms since 1970; undefined for none. */
  get startedAt(): number | undefined {
    return this.pid === undefined ? undefined : this.#runner.startedAt;
  }

  /** How often it has been started again since the server started. */
  get restarts(): number {
    return Math.max(0, this.#runner.starts - 1);
  }

  /** Of the join of the process that runs now; 0 before it has joined. */
  get incarnation(): number {
    return this.#runner.incarnation;
  }

  /**
   * The life of the engine: waits for storage, starts it, keeps it in service, starts it again when it dies, and when
   * it was stopped or has failed waits for {@link start}. Resolves when `signal` aborts, or after the storage is ready
   * when the instance is for that only.
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
    if (this.#wish === "stop, then start") this.#wish = "run";
    else await abortable(idle.startAsked.promise, signal).catch(() => {});
    // The storage is not opened again while its identity is removed.
    while (idle.erasure !== undefined && !signal.aborted)
      await abortable(idle.erasure, signal).catch(() => {});
    this.#lookAgain();
  }

  /** The storage is about to be opened again. A request that comes from now on waits for the result. */
  #lookAgain(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookedAt = Promise.withResolvers();
  }

  #enter<State extends HeldState>(state: State): State {
    this.#state = state;
    this.#isLooking = false;
    this.#lookedAt.resolve();
    this.#options.onChange(this);
    return state;
  }

  /** Handles the engine's announcement. @throws Fault when the announced path is not a socket */
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
   * Starts an engine that was stopped, is being stopped or erased, or has failed; a running engine goes on. Storage
   * that waits for a format is opened again: it may have been lost, and may be back.
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
        this.#lookAgain();
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
        this.#lookAgain();
        state.startAsked.resolve();
        return;
      default:
        state satisfies never;
    }
  }

  /**
   * Stops the engine, and resolves when its process has ended and is not started again. A serving engine is asked with
   * KillRank: it may end before its answer, or run on after it, and is killed after a grace period. A stop that has
   * begun is completed even when `signal` ends the wait for it: an engine that was asked to end must not be started
   * again.
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
   * Erases the identity of a stopped engine; its storage must be formatted again.
   *
   * @throws Fault engineRuns, or about the storage
   */
  async erase(options: { readonly signal: AbortSignal }): Promise<void> {
    // A start may be opening the storage.
    const isBeingErased = () => "erasure" in this.#state && this.#state.erasure !== undefined;
    for (let again = true; again && this.#isLooking && !isBeingErased(); ) again = await this.opened(options);
    options.signal.throwIfAborted();
    const state = this.#state;
    if (this.#isLooking && !isBeingErased()) throw faultEngineRuns(this.index, "starting");
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
    this.#runner.forgetJoin();
  }

  /** Formats this engine's storage as its configuration says. Never throws: each failure is part of the result. */
  async format(options: EngineFormatOptions): Promise<InstanceFormatResult> {
    const { mount } = this.config.scm;
    for (let again = true; again && this.#isLooking; ) again = await this.opened(options);
    const waiting: HeldState = this.#isLooking ? { kind: "new" } : this.#state;
    if (waiting.kind !== "awaiting format") {
      return { mount, scmFault: faultFormatNotAwaited(this.index, mount, waiting), bdevs: [] };
    }
    this.#enter({ kind: "formatting" });
    const result = await this.#releaseAndFormat(options);
    // Formatted storage must not be formatted again before its engine has been started on it.
    if (firstFault(result) === undefined) waiting.formatEnded.resolve("formatted");
    else this.#enter(waiting);
    return result;
  }

  /**
   * Waits a moment while its storage is opened, which may have a superblock and need no format.
   *
   * @returns false when that takes too long
   */
  async opened({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    if (!this.#isLooking) return true;
    using limit = this.#parts.clock.deadline(LOOK_MS, "look at the storage", signal);
    return await abortable(this.#lookedAt.promise, limit.signal).then(
      () => true,
      () => false,
    );
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

  /** Returns when there is a superblock; waits for a format when there is none. */
  async #awaitStorage(signal: AbortSignal): Promise<void> {
    for (let before: string | undefined; ; ) {
      signal.throwIfAborted();
      const reason = await this.#storage.open({ signal });
      if (reason === undefined) return;
      const waiting = this.#enter(awaitingFormat(reason));
      if (reason !== before) {
        // Lost storage is not replaced without a request.
        const isNew = this.superblock === undefined;
        if (isNew && this.#options.autoFormat && (await this.#autoFormat(signal))) continue;
        const { mount } = this.config.scm;
        if (this.#storage.isAbsent)
          this.#log.warn(`waiting for the storage to appear, or for "dmg storage format": ${reason}`, {
            mount,
          });
        else this.#log.info(`waiting for "dmg storage format": ${reason}`, { mount });
      }
      before = reason;
      const end = await this.#formatEnd(waiting, signal);
      if (end === "formatted") await this.#storage.createSuperblock();
    }
  }

  /** Waits for the end of a format, or until the storage is to be opened again: on request, or because it may have appeared. */
  async #formatEnd(waiting: AwaitingFormat, signal: AbortSignal): Promise<FormatEnd> {
    const ended = abortable(waiting.formatEnded.promise, signal);
    while (this.#storage.isAbsent) {
      const over = new AbortController();
      const pause = this.#parts.clock.delay(LOOK_AGAIN_MS, {
        signal: AbortSignal.any([signal, over.signal]),
      });
      const end = await Promise.race([ended, pause]).finally(() => over.abort());
      if (end !== undefined) return end;
      // Not during a format.
      if (this.#state !== waiting) continue;
      this.#lookAgain();
      return "look again";
    }
    return ended;
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

  /** Starts the engine, and restarts it whenever it ends without a request. @returns why it is not restarted */
  async #keepInService(signal: AbortSignal): Promise<Stopped | Failed> {
    let reason = "";
    const end = await supervise(
      {
        runOnce: (wait) => this.#runner.runOnce(reason, wait.signal),
        stopAsked: () => this.#wish !== "run",
        restartAfter: (delayMs, fault, wait) => {
          reason = fault.message;
          return this.#restartAfter(delayMs, reason, wait.signal);
        },
        clock: this.#parts.clock,
      },
      { hasServed: this.hasServed, signal },
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
}

function firstFault({ scmFault, bdevs }: InstanceFormatResult): Fault | undefined {
  return scmFault ?? bdevs.find(({ fault }) => fault !== undefined)?.fault;
}
