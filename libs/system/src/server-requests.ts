import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import type { Logger } from "@daos/log";
import type { JoinRequest } from "@daos/membership";
import { type Clock, systemClock } from "@daos/sys";
import { faultNoSuchRanks } from "./faults.ts";
import type { JoinCoordinator, JoinReply } from "./join-coordinator.ts";
import { callEngineHere } from "./ms-replicas.ts";
import { prepShutdown } from "./prep-shutdown.ts";
import { type HostReport, type ReportResult, reportEngines } from "./report-engines.ts";

interface Wait {
  readonly signal: AbortSignal;
}

export interface ServerRequestsOptions {
  readonly harness: Pick<Harness, "findRank" | "findIdentity" | "msInstance">;
  readonly leadership: Pick<Leadership, "membership" | "failureDetector" | "leader" | "accessPoints">;
  readonly joins: Pick<JoinCoordinator, "join">;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

/** Time limit of a join, or of the stop of an engine, ms; the caller's own deadline may end it earlier. */
const CALL_TIMEOUT_MS = 60_000;
/** The time for the preparation of an engine when the leader gives none, as in release 0.8.0, ms. */
const DEFAULT_PREP_MS = 30_000;
/** Time limit of a call into the engine, ms: the real engine needs up to 10 s for a pool on one rank. */
const ENGINE_CALL_TIMEOUT_MS = 300_000;

/**
 * The requests of servers to each other: joins and reports on the leader, and calls about one engine on its host.
 *
 * @see DAOS 0.8.0 src/control/server/mgmt_svc.go
 */
export class ServerRequests {
  readonly #options: ServerRequestsOptions;
  readonly #clock: Clock;

  constructor(options: ServerRequestsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws as {@link JoinCoordinator.join}; TimeoutError after 60 s */
  async join(request: JoinRequest, { signal }: Wait): Promise<JoinReply> {
    using limit = this.#clock.deadline(CALL_TIMEOUT_MS, "join", signal);
    return await this.#options.joins.join(request, limit);
  }

  /** @throws Fault notLeader, systemNotReady */
  report(report: HostReport): Promise<ReportResult> {
    return reportEngines(this.#options.leadership, report);
  }

  /**
   * Checks the ranks that a pool is to be on. The engine reports a rank that does not exist only as out of the group.
   *
   * @throws Fault memberUnknown; notLeader, systemNotReady where ranks are named, because the leader has the members
   */
  checkPoolRanks(ranks: readonly number[]): void {
    if (ranks.length === 0) return;
    const { missingRanks } = this.#options.leadership.membership().select(ranks, []);
    if (missingRanks.length > 0) throw faultNoSuchRanks(missingRanks);
  }

  /**
   * @param options `allowedMs` is the time that the leader allows this host; 30 s when it gives none, and at most 60 s
   * @returns the status of the engine's answer
   * @throws Fault engineNotReady when the engine does not answer
   */
  async prepShutdown(
    rank: number,
    { allowedMs = DEFAULT_PREP_MS, signal }: Wait & { readonly allowedMs: number | undefined },
  ): Promise<number> {
    const within = Math.min(allowedMs, CALL_TIMEOUT_MS);
    const { harness } = this.#options;
    const { status } = await prepShutdown(harness, rank, { allowedMs: within, signal, clock: this.#clock });
    return status;
  }

  /** @returns the status of the engine's answer @throws Fault when this host has no such rank */
  async killRank(rank: number, { force, signal }: Wait & { readonly force: boolean }): Promise<number> {
    using limit = this.#clock.deadline(CALL_TIMEOUT_MS, `kill rank ${rank}`, signal);
    const engine = await this.#options.harness.findRank(rank, limit);
    return await engine.stop({ force, signal: limit.signal });
  }

  /** @throws Fault when this host has no such rank */
  async startRank(rank: number, wait: Wait): Promise<void> {
    this.#options.log.info("asked to start a rank", { rank });
    (await this.#options.harness.findRank(rank, wait)).start();
  }

  /** @throws Fault when this host has no engine with this rank and identity */
  async eraseRank(rank: number, uuid: string, wait: Wait): Promise<void> {
    this.#options.log.warn("asked to erase a rank", { rank, uuid });
    await (await this.#options.harness.findIdentity(rank, uuid, wait)).erase(wait);
  }

  /** Passes a call of another access point on to this host's engine with a replica. @returns the body of its answer */
  async callEngine(method: number, body: Uint8Array, { signal }: Wait): Promise<Uint8Array> {
    const attempted = "call of the leader into the engine";
    using limit = this.#clock.deadline(ENGINE_CALL_TIMEOUT_MS, attempted, signal);
    return await callEngineHere(this.#options.harness, { method, body }, limit);
  }
}
