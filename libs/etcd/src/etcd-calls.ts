import type { MessageInitShape } from "@bufbuild/protobuf";
import type { etcd } from "@daos/proto";

export interface CallOptions {
  readonly signal: AbortSignal;
  /** How long the member that is asked may take, ms; the client's `callTimeoutMs` if not given. */
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
  /** Forgets what was overwritten or deleted before a revision; what is there now stays. */
  compact(revision: bigint, options: CallOptions): Promise<etcd.CompactionResponse>;
  /** Makes a lease of about `ttl` seconds; the answer has the seconds that etcd chose. */
  leaseGrant(ttl: number, options: CallOptions): Promise<etcd.LeaseGrantResponse>;
  /** Ends a lease; well when there is none. */
  leaseRevoke(id: bigint, options: CallOptions): Promise<void>;
  /** Begins a lease's time anew; resolves with its seconds, 0 when there is no such lease. */
  leaseKeepAlive(id: bigint, options: CallOptions): Promise<number>;
  /**
   * The changes of some keys, until the signal aborts or the member goes: then it throws. The first response, which has no
   * events, says that the watch is set up. A member that is frozen or cut off says nothing, also not that.
   */
  watch(request: WatchInit, options: CallOptions): AsyncIterable<etcd.WatchResponse>;
  /** State of the member that is asked. */
  status(options: CallOptions): Promise<etcd.StatusResponse>;
}
