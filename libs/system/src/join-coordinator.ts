import { drpcMethods } from "@daos/drpc";
import type { Leadership } from "@daos/election";
import { daosStatusNumber, retryClass } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import { type Logger, limitRepeats } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { JoinRequest, Membership } from "@daos/membership";
import { mgmt } from "@daos/proto";
import { NIL_RANK, parseRank, type Rank } from "@daos/rank";
import type { MsReplicas } from "./ms-replicas.ts";

/** The answer to a join. */
export interface JoinReply {
  /** 0, or the DAOS error number with which the data plane refused. */
  readonly status: number;
  readonly rank: number;
  readonly state: mgmt.JoinResp_State;
  readonly incarnation: number;
}

export interface JoinCoordinatorOptions {
  readonly leadership: Pick<Leadership, "membership">;
  readonly replicas: Pick<MsReplicas, "call">;
  readonly log: Logger;
}

/** Joins that the engine works on at a time; more wait here. */
const MAX_ENGINE_CALLS = 16;

/** Maximum number of ranks that are tried for one join; the next join continues with the rank after them. */
const MAX_RANKS = 64;
const RANK_TAKEN = daosStatusNumber("EXIST");

interface Wait {
  readonly signal: AbortSignal;
}

/**
 * Joins engines to the system, on the leader. The joins of one engine run one after the other; those of different engines
 * run side by side, so that their members go into few commits.
 *
 * @see DAOS 0.8.0 src/control/server/mgmt_svc.go Join
 */
export class JoinCoordinator {
  readonly #options: JoinCoordinatorOptions;
  readonly #quiet: Logger;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #asking = 0;

  constructor(options: JoinCoordinatorOptions) {
    this.#options = options;
    this.#quiet = limitRepeats(options.log);
  }

  /**
   * Makes an engine a member.
   *
   * @throws Fault notLeader, systemNotReady, memberConflict, memberElsewhere, memberExcluded
   */
  async join(request: JoinRequest, wait: Wait): Promise<JoinReply> {
    const before = this.#turns.get(request.uuid) ?? Promise.resolve();
    const turn = before.then(() => this.#joinNow(request, wait));
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(request.uuid, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(request.uuid) === settled) this.#turns.delete(request.uuid);
    }
  }

  async #joinNow(request: JoinRequest, wait: Wait): Promise<JoinReply> {
    wait.signal.throwIfAborted();
    const membership = this.#options.leadership.membership();
    const plan = membership.planJoin(request);
    switch (plan.kind) {
      case "refuse":
        // A refusal is final, and its reason may be a change that is not committed in the end.
        await membership.settled();
        throw plan.fault;
      case "record":
        return resultFor(await membership.admit(request, plan.rank));
      case "ask-engine":
        return this.#askEngine(membership, request, plan.rank, wait);
      case "reserve":
        return this.#reserve(membership, request, plan.rank, wait);
      default:
        return plan satisfies never;
    }
  }

  /** Reserves a rank, and another one when the data plane still has the rank for an engine that was erased. */
  async #reserve(membership: Membership, request: JoinRequest, first: Rank, wait: Wait): Promise<JoinReply> {
    for (let rank = first, tries = 1; ; rank = membership.nextRank(), tries++) {
      wait.signal.throwIfAborted();
      await membership.reserve(request, rank);
      const answer = await this.#askEngine(membership, request, rank, wait);
      if (answer.status === 0 || isUndecided(answer.status)) return answer;
      const released = await membership.release(request.uuid);
      if (!released || answer.status !== RANK_TAKEN || request.rank !== NIL_RANK) return answer;
      membership.passOver(rank);
      if (tries === MAX_RANKS) return answer;
    }
  }

  async #askEngine(membership: Membership, request: JoinRequest, rank: Rank, wait: Wait): Promise<JoinReply> {
    const { uuid, uri, contexts: nctxs, address } = request;
    using _claim = membership.claim(rank);
    const message = { uuid, rank, uri, nctxs, addr: formatHostAddress(address) };
    const answer = await this.#inTurn(() => this.#options.replicas.call(drpcMethods.join, message, wait));
    const { status, state } = answer;
    if (status !== 0 || state !== mgmt.JoinResp_State.IN) {
      this.#quiet.warn("the data plane does not let an engine join", { uuid, rank, status });
      return { status, state, rank: answer.rank, incarnation: 0 };
    }
    return resultFor(await membership.admit(request, parseRank(answer.rank)));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#asking >= MAX_ENGINE_CALLS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#asking++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#asking--;
      else next();
    }
  }
}

function resultFor({ rank, incarnation }: Member): JoinReply {
  return { status: 0, rank, state: mgmt.JoinResp_State.IN, incarnation };
}

/** After such an answer the data plane may still have accepted the engine: the next attempt finds its rank reserved. */
function isUndecided(status: number): boolean {
  return retryClass({ code: -status }) !== "final";
}
