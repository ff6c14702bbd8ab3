import { drpcMethods } from "@daos/drpc";
import type { Leadership } from "@daos/election";
import { daosStatusNumber, retryClass } from "@daos/fault";
import { parseHostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { JoinAttempt, Membership } from "@daos/membership";
import { mgmt } from "@daos/proto";
import { NIL_RANK, parseRank, type Rank } from "@daos/rank";
import type { EngineGroup } from "./ms-replicas.ts";

/** A join as it arrives; `address` is what the engine's host listens on, `0.0.0.0:10001`. */
export interface JoinCall {
  readonly uuid: string;
  readonly rank: number;
  readonly uri: string;
  readonly contexts: number;
  readonly address: string;
  readonly faultDomain: string;
  readonly reports: boolean;
  readonly recorded: boolean;
}

/** What a join is answered with. */
export interface JoinAnswer {
  /** 0, or the DAOS error number with which the data plane refused. */
  readonly status: number;
  readonly rank: number;
  readonly state: mgmt.JoinResp_State;
  readonly incarnation: number;
}

export interface JoinsOptions {
  readonly leadership: Pick<Leadership, "membership">;
  readonly engines: Pick<EngineGroup, "call">;
  readonly log: Logger;
}

/** The engine works on so many joins at a time; more wait here. */
const ENGINE_CALLS = 16;

/** So many ranks are tried for one join; the next join goes on where it ended. */
const MOST_RANKS = 64;
const RANK_TAKEN = daosStatusNumber("EXIST");

interface Wait {
  readonly signal: AbortSignal;
}

/**
 * Joins, on the leader. Those of one engine run one after the other; those of different engines side by side, so that
 * their members go into few commits.
 *
 * @see DAOS 0.8.0 src/control/server/mgmt_svc.go Join
 */
export class Joins {
  readonly #options: JoinsOptions;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #asking = 0;

  constructor(options: JoinsOptions) {
    this.#options = options;
  }

  /**
   * Makes an engine a member. The leader trusts the peer's IP address, not the one in the request.
   *
   * @throws Fault notLeader, systemNotReady, memberConflict, memberElsewhere, memberExcluded
   */
  async join(call: JoinCall, peer: string, wait: Wait): Promise<JoinAnswer> {
    const before = this.#turns.get(call.uuid) ?? Promise.resolve();
    const turn = before.then(() => this.#joinNow(call, peer, wait));
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(call.uuid, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(call.uuid) === settled) this.#turns.delete(call.uuid);
    }
  }

  async #joinNow(call: JoinCall, peer: string, wait: Wait): Promise<JoinAnswer> {
    wait.signal.throwIfAborted();
    const membership = this.#options.leadership.membership();
    const attempt = attemptFrom(call, peer);
    const plan = membership.planJoin(attempt);
    switch (plan.kind) {
      case "refuse":
        // The reason may be a change that cannot be committed in the end, and a refusal is for good.
        await membership.settled();
        throw plan.fault;
      case "record":
        return answerFor(await membership.admit(attempt, plan.rank));
      case "ask-engine":
        return this.#askEngine(membership, attempt, plan.rank, wait);
      case "reserve":
        return this.#reserve(membership, attempt, plan.rank, wait);
      default:
        return plan satisfies never;
    }
  }

  /** Gives a rank, and another one when the data plane knows it as that of an engine which has been erased since. */
  async #reserve(membership: Membership, attempt: JoinAttempt, first: Rank, wait: Wait): Promise<JoinAnswer> {
    for (let rank = first, tries = 1; ; rank = membership.nextRank(), tries++) {
      wait.signal.throwIfAborted();
      await membership.reserve(attempt, rank);
      const answer = await this.#askEngine(membership, attempt, rank, wait);
      if (answer.status === 0 || isUndecided(answer.status)) return answer;
      const released = await membership.release(attempt.uuid);
      if (!released || answer.status !== RANK_TAKEN || attempt.rank !== NIL_RANK) return answer;
      membership.passOver(rank);
      if (tries === MOST_RANKS) return answer;
    }
  }

  async #askEngine(
    membership: Membership,
    attempt: JoinAttempt,
    rank: Rank,
    wait: Wait,
  ): Promise<JoinAnswer> {
    const { uuid, uri, contexts: nctxs, address } = attempt;
    using _claim = membership.claim(rank);
    const request = { uuid, rank, uri, nctxs, addr: `${address.host}:${address.port}` };
    const answer = await this.#inTurn(() => this.#options.engines.call(drpcMethods.join, request, wait));
    const { status, state } = answer;
    if (status !== 0 || state !== mgmt.JoinResp_State.IN) {
      this.#options.log.warn("the data plane does not let an engine join", { uuid, rank, status });
      return { status, state, rank: answer.rank, incarnation: 0 };
    }
    return answerFor(await membership.admit(attempt, parseRank(answer.rank)));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#asking >= ENGINE_CALLS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
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

function attemptFrom(call: JoinCall, peer: string): JoinAttempt {
  const { uuid, uri, contexts, faultDomain, reports, recorded } = call;
  const rank = call.rank === NIL_RANK ? NIL_RANK : parseRank(call.rank);
  const address = { ...parseHostAddress(call.address), ...(peer === "" ? {} : { host: peer }) };
  return { uuid, rank, address, uri, contexts, faultDomain, reports, recorded };
}

function answerFor({ rank, incarnation }: Member): JoinAnswer {
  return { status: 0, rank, state: mgmt.JoinResp_State.IN, incarnation };
}

/** After such an answer the data plane may have taken the engine in all the same: the next try finds its rank reserved. */
function isUndecided(status: number): boolean {
  return retryClass({ code: -status }) !== "final";
}
