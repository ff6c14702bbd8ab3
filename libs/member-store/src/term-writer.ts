import type { MessageInitShape } from "@bufbuild/protobuf";
import { bytes, type EtcdCalls, EtcdError, text } from "@daos/etcd";
import { etcd } from "@daos/proto";
import { deadline, delay } from "@daos/sys";
import type { EtcdKeys } from "./etcd-keys.ts";
import { faultLeadershipLost, faultMemberStore } from "./faults.ts";

/** An operation of an etcd transaction. */
export type Operation = MessageInitShape<typeof etcd.RequestOpSchema>;

/** A term of leadership, as its writer sees it. */
export interface FencedTerm {
  /** The create revision of its leader key. */
  readonly number: number;
  /** Aborts when the term is over. */
  readonly signal: AbortSignal;
  /** False once the lease may have expired, even if the signal's timer is late. */
  holds(): boolean;
  /** Ends the term, because the outcome of its last write is unknown. */
  giveUp(reason: unknown): void;
}

/** The etcd calls that a store needs. */
export type StoreCalls = Pick<EtcdCalls, "range" | "txn">;

export interface TermWriterOptions {
  readonly client: StoreCalls;
  readonly keys: EtcdKeys;
  readonly term: FencedTerm;
}

/** How long to wait for one etcd member's answer to a transaction before the next member is asked. */
const ATTEMPT_MS = 2_000;
/** The term ends when the outcome of a transaction stays unknown for this time. */
const OUTCOME_MS = 8_000;
const PAUSE_MS = 50;

/**
 * Runs the transactions of one term in order, each exactly once or not at all.
 *
 * A transaction has two conditions. The leader key of the term still has its create revision: a former leader changes
 * nothing. The key of the last commit has the expected revision: the transaction then writes its own name there. A
 * transaction with an unknown outcome is sent again until the outcome is known. A delayed copy finds another last
 * commit and does nothing. If the outcome stays unknown for too long, the term ends.
 */
export class TermWriter {
  readonly #client: StoreCalls;
  readonly #keys: EtcdKeys;
  readonly #term: FencedTerm;
  /** Revision of the last commit's key; 0 when there is none. */
  #last = 0n;
  #count = 0;

  constructor(options: TermWriterOptions) {
    this.#client = options.client;
    this.#keys = options.keys;
    this.#term = options.term;
  }

  /** Sets the revision that the next transaction expects. */
  follow(lastCommit: bigint): void {
    this.#last = lastCommit;
  }

  /**
   * Runs the operations as one transaction. `signal` is ignored once the transaction was sent.
   *
   * @throws Fault memberStoreUnusable when etcd has refused, and nothing was done; leadershipLost when the term is
   * over;
   *   a sent transaction may then have been done
   */
  async write(operations: readonly Operation[], signal: AbortSignal): Promise<void> {
    const name = `${this.#term.number}/${++this.#count}`;
    const request = this.#fenced(operations, name);
    using limit = deadline(OUTCOME_MS, `outcome of commit ${name}`, this.#term.signal);
    let mayBeDone = false;
    while (true) {
      if (!mayBeDone) signal.throwIfAborted();
      if (!this.#term.holds()) throw faultLeadershipLost(`commit ${name} of members`);
      try {
        const response = await this.#client.txn(request, { signal: limit.signal, timeoutMs: ATTEMPT_MS });
        this.#last = response.succeeded ? revisionOf(response) : this.#outcome(response, name);
        return;
      } catch (error) {
        if (!(error instanceof EtcdError) && !limit.signal.aborted) {
          this.#term.giveUp(error);
          throw error;
        }
        const refused = error instanceof EtcdError && error.outcome === "refused";
        if (refused && !mayBeDone) throw faultMemberStore(`etcd under ${this.#keys.members}`, error);
        mayBeDone ||= !(error instanceof EtcdError) || error.outcome === "unknown";
        if (limit.signal.aborted) {
          this.#term.giveUp(error);
          throw faultLeadershipLost(`commit ${name} of members`);
        }
      }
      await delay(PAUSE_MS, limit).catch(() => {});
    }
  }

  #fenced(operations: readonly Operation[], name: string): MessageInitShape<typeof etcd.TxnRequestSchema> {
    const leader = bytes(this.#keys.leader);
    const lastCommit = bytes(this.#keys.lastCommit);
    return {
      compare: [
        {
          key: leader,
          target: etcd.Compare_CompareTarget.CREATE,
          targetUnion: { case: "createRevision", value: BigInt(this.#term.number) },
        },
        {
          key: lastCommit,
          target: etcd.Compare_CompareTarget.MOD,
          targetUnion: { case: "modRevision", value: this.#last },
        },
      ],
      success: [
        ...operations,
        { request: { case: "requestPut", value: { key: lastCommit, value: bytes(name) } } },
      ],
      failure: [{ request: { case: "requestRange", value: { key: lastCommit } } }],
    };
  }

  /** For a transaction whose conditions failed: the revision of the last commit, if that is this transaction. */
  #outcome(response: etcd.TxnResponse, name: string): bigint {
    const [answer] = response.responses;
    const found = answer?.response.case === "responseRange" ? answer.response.value.kvs[0] : undefined;
    if (found !== undefined && text(found.value) === name) return found.modRevision;
    this.#term.giveUp(new Error(`commit ${name} was refused: another leader has begun`));
    throw faultLeadershipLost(`commit ${name} of members`);
  }
}

function revisionOf(response: etcd.TxnResponse): bigint {
  if (response.header === undefined) throw new Error("etcd's answer has no header");
  return response.header.revision;
}
