import type { etcd } from "@daos/proto";
import { Endpoint } from "./endpoint.ts";
import type {
  CallOptions,
  DeleteRangeInit,
  EtcdCalls,
  PutInit,
  RangeInit,
  TxnInit,
  WatchInit,
} from "./etcd-calls.ts";
import { EtcdConnection } from "./etcd-connection.ts";
import { EtcdError } from "./etcd-error.ts";
import type { TlsFiles } from "./tls-files.ts";

export interface EtcdClientOptions {
  /** `http://` or `https://` URLs of etcd's members, at least one. */
  readonly endpoints: readonly string[];
  readonly tls?: TlsFiles | undefined;
  /** Timeout for opening a connection before the next endpoint is used, ms; 500 by default. */
  readonly connectTimeoutMs?: number | undefined;
  /** Timeout for an answer before the next endpoint is used, ms; 1,000 by default. */
  readonly callTimeoutMs?: number | undefined;
}

/**
 * The calls of an etcd cluster. They go to one member until it cannot be reached, does not answer in time, or has no
 * leader; then to the next. Reads are repeated there. Changes are repeated only if they were never sent.
 */
export class EtcdClient implements EtcdCalls, Disposable {
  readonly #connections: readonly EtcdConnection[];
  #current = 0;

  constructor(options: EtcdClientOptions) {
    const { endpoints, tls = {}, connectTimeoutMs = 500, callTimeoutMs = 1000 } = options;
    if (endpoints.length === 0) throw new Error("a client of etcd needs an endpoint");
    this.#connections = endpoints.map(
      (url) => new EtcdConnection(new Endpoint(url, tls), { connectTimeoutMs, callTimeoutMs }),
    );
  }

  range(request: RangeInit, options: CallOptions): Promise<etcd.RangeResponse> {
    return this.onOneMember((member) => member.range(request, options), options);
  }

  put(request: PutInit, options: CallOptions): Promise<etcd.PutResponse> {
    return this.#change((member) => member.put(request, options), options);
  }

  deleteRange(request: DeleteRangeInit, options: CallOptions): Promise<etcd.DeleteRangeResponse> {
    return this.#change((member) => member.deleteRange(request, options), options);
  }

  txn(request: TxnInit, options: CallOptions): Promise<etcd.TxnResponse> {
    return this.#change((member) => member.txn(request, options), options);
  }

  compact(revision: bigint, options: CallOptions): Promise<etcd.CompactionResponse> {
    return this.#change((member) => member.compact(revision, options), options);
  }

  leaseGrant(ttl: number, options: CallOptions): Promise<etcd.LeaseGrantResponse> {
    return this.#change((member) => member.leaseGrant(ttl, options), options);
  }

  leaseRevoke(id: bigint, options: CallOptions): Promise<void> {
    return this.onOneMember((member) => member.leaseRevoke(id, options), options);
  }

  leaseKeepAlive(id: bigint, options: CallOptions): Promise<number> {
    return this.onOneMember((member) => member.leaseKeepAlive(id, options), options);
  }

  watch(request: WatchInit, options: CallOptions): AsyncIterable<etcd.WatchResponse> {
    return this.#member().watch(request, options);
  }

  status(options: CallOptions): Promise<etcd.StatusResponse> {
    return this.onOneMember((member) => member.status(options), options);
  }

  /** Runs a sequence of calls on one member. If one fails, the whole sequence is repeated on the next member. */
  onOneMember<T>(work: (member: EtcdCalls) => Promise<T>, options: CallOptions): Promise<T> {
    return this.#failOver(work, options, () => true);
  }

  #change<T>(work: (member: EtcdCalls) => Promise<T>, options: CallOptions): Promise<T> {
    return this.#failOver(work, options, (error) => error.outcome === "not-sent");
  }

  async #failOver<T>(
    work: (member: EtcdCalls) => Promise<T>,
    { signal }: CallOptions,
    mayRepeat: (error: EtcdError) => boolean,
  ): Promise<T> {
    for (let left = this.#connections.length; ; left--) {
      const member = this.#member();
      try {
        return await work(member);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof EtcdError) || error.outcome === "refused") throw error;
        this.#leave(member);
        if (left <= 1 || !mayRepeat(error)) throw error;
      }
    }
  }

  #member(): EtcdConnection {
    return this.#connections[this.#current] as EtcdConnection;
  }

  /** Fails the other calls and watches on this member too, so that they do not wait for their own timeouts. */
  #leave(member: EtcdConnection): void {
    if (this.#member() !== member) return;
    this.#current = (this.#current + 1) % this.#connections.length;
    member.endpoint.drop();
  }

  /** Closes the connections; calls under way fail. */
  [Symbol.dispose](): void {
    for (const { endpoint } of this.#connections) endpoint.drop();
  }
}
