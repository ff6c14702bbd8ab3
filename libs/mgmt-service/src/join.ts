import { drpcMethods } from "@daos/drpc";
import { parseHostAddress } from "@daos/hostlist";
import type { Member } from "@daos/membership";
import { mgmt } from "@daos/proto";
import { NIL_RANK, parseRank, type Rank } from "@daos/rank";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";

/** A join as it arrives; `address` is what the engine's host listens on, `0.0.0.0:10001`. */
export interface JoinCall {
  readonly uuid: string;
  readonly rank: number;
  readonly uri: string;
  readonly contexts: number;
  readonly address: string;
}

/** What a join is answered with. */
export interface JoinAnswer {
  /** 0, or the DAOS error number with which the data plane refused. */
  readonly status: number;
  readonly rank: number;
  readonly state: mgmt.JoinResp_State;
}

/**
 * Joins run one after the other: each is decided on what the one before has left.
 *
 * @see DAOS 0.8.0 src/control/server/mgmt_svc.go Join
 */
export class Joins {
  readonly #options: MgmtServiceOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MgmtServiceOptions) {
    this.#options = options;
  }

  /**
   * Makes an engine a member. The leader trusts the peer's IP address, not the one in the request.
   *
   * @throws Fault notLeader, systemNotReady, memberConflict
   */
  join(call: JoinCall, peer: string, options: { readonly signal: AbortSignal }): Promise<JoinAnswer> {
    const turn = this.#last.then(() => this.#joinNow(call, peer, options));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #joinNow(
    call: JoinCall,
    peer: string,
    options: { readonly signal: AbortSignal },
  ): Promise<JoinAnswer> {
    options.signal.throwIfAborted();
    const { leadership, harness, log } = this.#options;
    const membership = leadership.membership();
    const rank = call.rank === NIL_RANK ? NIL_RANK : parseRank(call.rank);
    const plan = membership.planJoin({ uuid: call.uuid, rank, uri: call.uri });
    if (plan.kind === "refuse") throw plan.fault;

    const address = { ...parseHostAddress(call.address), ...(peer === "" ? {} : { host: peer }) };
    const member = (joined: Rank): Member => {
      const { uuid, uri, contexts } = call;
      return { uuid, rank: joined, address, uri, contexts };
    };
    if (plan.kind === "rejoin") {
      membership.record(member(plan.rank));
      log.info("member is back", { rank: plan.rank, uuid: call.uuid, address: call.address });
      return { status: 0, rank: plan.rank, state: mgmt.JoinResp_State.IN };
    }
    const { uuid, uri, contexts: nctxs } = call;
    const request = { uuid, rank, uri, nctxs, addr: `${address.host}:${address.port}` };
    const answer = await harness.msInstance().call(drpcMethods.join, request, options);
    if (answer.status === 0 && answer.state === mgmt.JoinResp_State.IN) {
      membership.record(member(parseRank(answer.rank)));
      log.info("member joined", { rank: answer.rank, uuid, address: request.addr });
    }
    return answer;
  }
}
