import type { MessageInitShape } from "@bufbuild/protobuf";
import { bytes, type EtcdCalls, EtcdError, text } from "@daos/etcd";
import { etcd } from "@daos/proto";
import { deadline, delay } from "@daos/sys";
import type { EtcdKeys } from "./etcd-keys.ts";
import { faultLeadershipLost, faultMemberStore } from "./faults.ts";

/** An operation of an etcd transaction. */
export type Operation = MessageInitShape<typeof etcd.RequestOpSchema>;

/** A term of leadership, as what writes in it sees it. */
export interface FencedTerm {
  /** The revision at which its leader key was created. */
  readonly number: number;
  /** Aborts when the term is over. */
  readonly signal: AbortSignal;
  /** False from the moment at which the lease may have ended, also when the signal's timer is late. */
  holds(): boolean;
  /** Ends the term, because it is not known what has been written in it. */
  giveUp(reason: unknown): void;
}

/** What a store needs of a client. */
export type StoreCalls = Pick<EtcdCalls, "range" | "txn">;

export interface TermWriterOptions {
  readonly client: StoreCalls;
  readonly keys: EtcdKeys;
  readonly term: FencedTerm;
}

/** A member of etcd may take this long for a transaction; then the next one is asked. */
const ATTEMPT_MS = 2_000;
/** The term is given up when the outcome of a transaction has not become known within this time. */
const OUTCOME_MS = 8_000;
const PAUSE_MS = 50;

/**
 * Makes the transactions of one term, one after the other, each exactly once or not at all.
 *
 * Each holds only while the term's leader key is there with its revision of creation, so that a former leader changes
 * nothing; and only on top of the one before: it compares the revision of the key that names the last commit, and writes
 * its own name there. One whose outcome is unknown is sent again until it is known: what was delayed on its way then
 * finds another last commit and does nothing. If that takes too long the term is given up.
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

  /** Says on top of what the next transaction is made. */
  follow(lastCommit: bigint): void {
    this.#last = lastCommit;
  }

  /**
   * Does the operations as one change. `signal` counts as long as nothing has been sent.
   *
   * @throws Fault memberStoreUnusable when etcd has refused, and nothing was done; leadershipLost when the term is over;
   *   what was sent may then have been done
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

  /** Of a transaction whose conditions did not hold: the revision of the last commit, if that is this one. */
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
