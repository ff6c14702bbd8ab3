import type { LeaderFinder, ReportAnswer, ReportMessage } from "@daos/control-client";
import { type Fault, FaultCode, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { type EngineInstance, servingProblem } from "@daos/instance";
import type { Logger } from "@daos/log";
import { mgmt } from "@daos/proto";
import { type Clock, systemClock } from "@daos/sys";

/** The part of an engine that is reported. */
export type ReportedEngine = Pick<EngineInstance, "state" | "superblock" | "incarnation">;

export interface EngineReporterOptions {
  /** Control address of this host. */
  readonly self: HostAddress;
  readonly engines: readonly ReportedEngine[];
  readonly finder: LeaderFinder;
  /** Sends a report to one host. */
  readonly send: (
    host: HostAddress,
    report: ReportMessage,
    wait: { readonly signal: AbortSignal },
  ) => Promise<ReportAnswer>;
  /** `report_interval` of the configuration: time between two reports when nothing changes, ms; 5,000 by default. */
  readonly intervalMs?: number | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

const DEFAULT_INTERVAL_MS = 5_000;
/** Changes within this time go into one report, ms. */
const GATHER_MS = 50;
const REPORT_MS = 10_000;
/** A host that has not answered within this time, ms, may be frozen: others are asked too. */
const HOST_MS = 3_000;
/** How long a stop of this host waits until a leader takes its last report, ms. */
const LAST_REPORT_MS = 2_000;
const HOST_GOES_DOWN = "host is going down";
/** Maximum number of warnings that wait for a leader. */
const MAX_WARNINGS = 100;
/** Maximum number of warnings in one report; a leader cuts longer lists. */
const MAX_SENT = 32;

/**
 * Reports the states of this host's engines to the leader: at once when one changes, and every few seconds in any case.
 */
export class EngineReporter {
  readonly #options: EngineReporterOptions;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Objects, because two of them may have the same text. */
  #warnings: readonly { readonly text: string }[] = [];
  #changed = true;
  #wake = () => {};
  #lastFault: Fault | undefined;

  constructor(options: EngineReporterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
  }

  /** Call it after a change of an engine. */
  changed(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Sends a warning about a device to the leader, once. */
  warn(text: string): void {
    // A new list, because the old one may be in a report that is being sent.
    this.#warnings = [...this.#warnings, { text }].slice(-MAX_WARNINGS);
    this.changed();
  }

  /** Reports until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#clock.delay(GATHER_MS, { signal });
        this.#changed = false;
        await this.#report(signal);
        await this.#pause(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /**
   * Reports to the leader that this host shuts down, so that its ranks count as stopped at once and do not become
   * overdue later. Call it after {@link run} has ended, while this host may still lead. It takes at most two seconds.
   */
  async goingDown(): Promise<void> {
    const { engines, log } = this.#options;
    const known = engines.flatMap(({ superblock, incarnation }, index) =>
      superblock === undefined ? [] : [stoppedWith(HOST_GOES_DOWN, superblock.uuid, incarnation, index)],
    );
    if (known.length === 0) return;
    try {
      using limit = this.#clock.deadline(LAST_REPORT_MS, "report the shutdown of this host to the leader");
      await this.#send({ engines: known, warnings: [] }, limit.signal);
    } catch (error) {
      log.warn("cannot report the shutdown of this host to the leader", { fault: toFault(error) });
    }
  }

  async #send(report: Pick<ReportMessage, "engines" | "warnings">, signal: AbortSignal): Promise<void> {
    const { self, engines, finder, send } = this.#options;
    const message = {
      ...report,
      addr: formatHostAddress(self),
      intervalMs: this.#intervalMs,
      configured: engines.length,
    };
    finder.learn(await finder.ask((host, wait) => send(host, message, wait), { signal, hostMs: HOST_MS }));
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { engines, log } = this.#options;
    const known = engines.map(describe).filter((engine) => engine !== undefined);
    if (known.length === 0) return;
    const sent = this.#warnings.slice(0, MAX_SENT);
    try {
      using limit = this.#clock.deadline(REPORT_MS, "report to the leader", signal);
      await this.#send({ engines: known, warnings: sent.map(({ text }) => text) }, limit.signal);
      // Some may have come while the leader was asked.
      this.#warnings = this.#warnings.filter((warning) => !sent.includes(warning));
      this.#changed ||= this.#warnings.length > 0;
      if (this.#lastFault !== undefined) log.info("this host reports to the leader again");
      this.#lastFault = undefined;
    } catch (error) {
      signal.throwIfAborted();
      const fault = toFault(error);
      if (fault.code === FaultCode.requestUnsupported) {
        // A leader of release 0.8.0 takes no reports.
        this.#warnings = [];
        return;
      }
      // A host without any identity may be waiting for the format of the whole system.
      const isMember = known.some(({ uuid }) => uuid !== "");
      if (isMember && this.#lastFault?.code !== fault.code)
        log.warn("this host cannot report to a leader", { fault });
      this.#lastFault = fault;
    }
  }

  /** Until the next report is due; sooner when something changes. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#changed) return;
    const rest = new AbortController();
    const end = () => rest.abort();
    this.#wake = end;
    signal.addEventListener("abort", end, { once: true });
    try {
      await this.#clock.delay(this.#intervalMs * (0.8 + this.#clock.random() * 0.2), { signal: rest.signal });
    } catch {
      signal.throwIfAborted();
    } finally {
      this.#wake = () => {};
      signal.removeEventListener("abort", end);
    }
  }
}

function stoppedWith(
  reason: string,
  uuid: string,
  incarnation: number,
  index: number,
): ReportMessage["engines"][number] {
  return { uuid, incarnation, state: mgmt.ReportEnginesReq_State.STOPPED, reason, number: index + 1 };
}

/** Undefined while it is not known whether the engine has an identity: its storage is being opened. */
function describe(engine: ReportedEngine, index: number): ReportMessage["engines"][number] | undefined {
  const { state, superblock, incarnation } = engine;
  const uuid = superblock?.uuid ?? "";
  const say = (kind: mgmt.ReportEnginesReq_State, reason = "") => ({
    uuid,
    incarnation,
    state: kind,
    reason,
    number: index + 1,
  });
  const State = mgmt.ReportEnginesReq_State;
  switch (state.kind) {
    case "new":
      return undefined;
    case "formatting":
      return say(State.FAILED, "it is being formatted");
    case "awaiting format":
      return say(State.FAILED, state.reason);
    case "starting":
      return say(State.STARTING, state.reason);
    case "serving": {
      const problem = servingProblem(state);
      return problem === undefined ? say(State.SERVING) : say(State.FAILED, problem);
    }
    case "restarting":
      return say(State.FAILED, state.reason);
    case "stopped":
      return say(State.STOPPED);
    case "failed":
      return say(State.FAILED, state.fault.message);
    default:
      return state satisfies never;
  }
}
