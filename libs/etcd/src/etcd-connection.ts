import { Code } from "@connectrpc/connect";
import type { etcd } from "@daos/proto";
import { deadline } from "@daos/sys";
import type { Endpoint } from "./endpoint.ts";
import type {
  CallOptions,
  DeleteRangeInit,
  EtcdCalls,
  PutInit,
  RangeInit,
  TxnInit,
  WatchInit,
} from "./etcd-calls.ts";
import { callFailed, EtcdError } from "./etcd-error.ts";

export interface Timeouts {
  readonly connectTimeoutMs: number;
  readonly callTimeoutMs: number;
}

/** A member without a leader then ends the watch; without this it would send nothing. */
const REQUIRE_LEADER = { hasleader: "true" };

/** The calls to one member of etcd. Opens a connection when there is none. */
export class EtcdConnection implements EtcdCalls {
  readonly endpoint: Endpoint;
  readonly #timeouts: Timeouts;

  constructor(endpoint: Endpoint, timeouts: Timeouts) {
    this.endpoint = endpoint;
    this.#timeouts = timeouts;
  }

  range(request: RangeInit, options: CallOptions): Promise<etcd.RangeResponse> {
    return this.#call(options, (signal) => this.endpoint.kv.range(request, { signal }));
  }

  put(request: PutInit, options: CallOptions): Promise<etcd.PutResponse> {
    return this.#call(options, (signal) => this.endpoint.kv.put(request, { signal }));
  }

  deleteRange(request: DeleteRangeInit, options: CallOptions): Promise<etcd.DeleteRangeResponse> {
    return this.#call(options, (signal) => this.endpoint.kv.deleteRange(request, { signal }));
  }

  txn(request: TxnInit, options: CallOptions): Promise<etcd.TxnResponse> {
    return this.#call(options, (signal) => this.endpoint.kv.txn(request, { signal }));
  }

  compact(revision: bigint, options: CallOptions): Promise<etcd.CompactionResponse> {
    return this.#call(options, (signal) => this.endpoint.kv.compact({ revision }, { signal }));
  }

  leaseGrant(ttl: number, options: CallOptions): Promise<etcd.LeaseGrantResponse> {
    return this.#call(options, (signal) => this.endpoint.lease.leaseGrant({ TTL: BigInt(ttl) }, { signal }));
  }

  async leaseRevoke(id: bigint, options: CallOptions): Promise<void> {
    try {
      await this.#call(options, (signal) => this.endpoint.lease.leaseRevoke({ ID: id }, { signal }));
    } catch (error) {
      if (!(error instanceof EtcdError && error.code === Code.NotFound)) throw error;
    }
  }

  leaseKeepAlive(id: bigint, options: CallOptions): Promise<number> {
    return this.#call(options, async (signal) => {
      for await (const { TTL } of this.endpoint.lease.leaseKeepAlive(one({ ID: id }), { signal })) {
        return Math.max(0, Number(TTL));
      }
      throw new Error("the stream ended without an answer");
    });
  }

  async *watch(request: WatchInit, options: CallOptions): AsyncGenerator<etcd.WatchResponse> {
    const { signal } = options;
    await this.endpoint.connect(this.#timeouts.connectTimeoutMs, signal);
    const create = { requestUnion: { case: "createRequest" as const, value: request } };
    const responses = this.endpoint.watch.watch(oneThenOpen(create, signal), {
      signal,
      headers: REQUIRE_LEADER,
    });
    try {
      for await (const response of responses) {
        if (response.canceled) throw new Error(`the watch was ended: ${response.cancelReason}`);
        yield response;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw callFailed(this.endpoint.authority, error);
    }
    throw callFailed(this.endpoint.authority, new Error("the watch was ended"));
  }

  status(options: CallOptions): Promise<etcd.StatusResponse> {
    return this.#call(options, (signal) => this.endpoint.maintenance.status({}, { signal }));
  }

  async #call<T>(options: CallOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = this.#timeouts.callTimeoutMs } = options;
    signal.throwIfAborted();
    await this.endpoint.connect(Math.min(this.#timeouts.connectTimeoutMs, timeoutMs), signal);
    using limit = deadline(timeoutMs, `answer of etcd at ${this.endpoint.authority}`, signal);
    try {
      return await work(limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      throw callFailed(this.endpoint.authority, limit.signal.aborted ? limit.signal.reason : error);
    }
  }
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}

/** etcd ends a watch whose requests end. */
async function* oneThenOpen<T>(item: T, signal: AbortSignal): AsyncGenerator<T> {
  yield item;
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
