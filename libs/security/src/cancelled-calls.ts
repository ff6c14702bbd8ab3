import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Fault } from "@daos/fault";
import type { ConnectionLimits } from "./connection-limits.ts";
import { faultCancelledCalls } from "./faults.ts";
import type { Peer } from "./peer.ts";
import { shareOf } from "./receive-budget.ts";
import { TokenBuckets } from "./token-buckets.ts";

/**
 * A budget of cancelled calls for each address and role. A call that is opened and reset costs the client nothing and
 * the server a handler. A limit for each connection is not enough, because a client can open another connection.
 */
export class CancelledCalls {
  readonly #limits: ConnectionLimits["cancelled"];
  readonly #warn: (key: string, fault: Fault) => void;
  readonly #buckets: Readonly<Record<keyof ConnectionLimits["cancelled"], TokenBuckets>>;

  constructor(limits: ConnectionLimits["cancelled"], warn: (key: string, fault: Fault) => void) {
    const bucket = ({ burst, perSecond }: (typeof limits)["agent"]) => new TokenBuckets(burst, perSecond);
    this.#limits = limits;
    this.#warn = warn;
    this.#buckets = {
      agent: bucket(limits.agent),
      server: bucket(limits.server),
      admin: bucket(limits.admin),
      insecure: bucket(limits.insecure),
    };
  }

  /** The fault while the budget of a peer is used up: no connection of it is let in. */
  refusal(peer: Peer): Fault | undefined {
    if (!this.#buckets[shareOf(peer)].isEmpty(peer.address)) return undefined;
    const fault = this.#faultOf(peer);
    this.#warn(`${peer.address} ${shareOf(peer)} cancelled`, fault);
    return fault;
  }

  /** Counts the calls of a session that its peer cancels, and ends it when the budget is used up. */
  watch(session: ServerHttp2Session, peer: Peer): void {
    const count = () => {
      if (this.#buckets[shareOf(peer)].delay(peer.address, 0) !== undefined || session.destroyed) return;
      this.#warn(`${peer.address} ${shareOf(peer)} cancelled`, this.#faultOf(peer));
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      session.destroy();
    };
    session.on("stream", (stream: ServerHttp2Stream) => {
      // One packet may open and reset a call: then it is over before this listener runs.
      if (stream.aborted) count();
      else stream.once("aborted", count);
    });
  }

  #faultOf(peer: Peer): Fault {
    const { burst, perSecond } = this.#limits[shareOf(peer)];
    return faultCancelledCalls(peer.address, burst, perSecond);
  }
}
