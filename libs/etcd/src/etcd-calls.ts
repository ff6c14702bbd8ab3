import type { MessageInitShape } from "@bufbuild/protobuf";
import type { etcd } from "@daos/proto";

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Timeout for one member, ms; the client's `callTimeoutMs` by default. */
  readonly timeoutMs?: number | undefined;
}

export type RangeInit = MessageInitShape<typeof etcd.RangeRequestSchema>;
export type PutInit = MessageInitShape<typeof etcd.PutRequestSchema>;
export type DeleteRangeInit = MessageInitShape<typeof etcd.DeleteRangeRequestSchema>;
export type TxnInit = MessageInitShape<typeof etcd.TxnRequestSchema>;
export type WatchInit = MessageInitShape<typeof etcd.WatchCreateRequestSchema>;

/** The calls of etcd. Each one rejects with an `EtcdError`, or with the reason of its signal. */
export interface EtcdCalls {
  range(request: RangeInit, options: CallOptions): Promise<etcd.RangeResponse>;
  put(request: PutInit, options: CallOptions): Promise<etcd.PutResponse>;
  deleteRange(request: DeleteRangeInit, options: CallOptions): Promise<etcd.DeleteRangeResponse>;
  txn(request: TxnInit, options: CallOptions): Promise<etcd.TxnResponse>;
  /** Discards values that were overwritten or deleted before a revision. Current values stay. */
  compact(revision: bigint, options: CallOptions): Promise<etcd.CompactionResponse>;
  /** Grants a lease of about `ttl` seconds. The answer has the actual TTL. */
  leaseGrant(ttl: number, options: CallOptions): Promise<etcd.LeaseGrantResponse>;
  /** Revokes a lease. Succeeds when the lease does not exist. */
  leaseRevoke(id: bigint, options: CallOptions): Promise<void>;
  /** Renews a lease. Resolves with its TTL in seconds; 0 when the lease does not exist. */
  leaseKeepAlive(id: bigint, options: CallOptions): Promise<number>;
  /**
   * Watches keys until the signal aborts or the connection is lost, then throws. The first response has no events and
   * confirms the watch. A frozen or partitioned member sends nothing, not even an error.
   */
  watch(request: WatchInit, options: CallOptions): AsyncIterable<etcd.WatchResponse>;
  /** State of the member that is asked. */
  status(options: CallOptions): Promise<etcd.StatusResponse>;
}
