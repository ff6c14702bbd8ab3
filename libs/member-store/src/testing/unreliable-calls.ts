import { type EtcdClient, EtcdError } from "@daos/etcd";
import { delay } from "@daos/sys";
import type { StoreCalls } from "../term-writer.ts";

/** The outcome of a transaction. */
export type Fate =
  | "done"
  /** It is not sent, and the caller knows. */
  | "not-sent"
  /** etcd refuses it. */
  | "refused"
  /** It does not arrive, and the caller does not know. */
  | "lost"
  /** It is done, and the answer is lost. */
  | "unanswered"
  /** The caller's connection breaks. Some time later the transaction is done, if its conditions still hold. */
  | "late";

/**
 * The calls of a client with an unreliable network. `fate` decides for each transaction that changes something.
 * `onLate` gets each late transaction, until it has been done or refused.
 */
export function unreliableCalls(
  client: EtcdClient,
  fate: () => Fate,
  lateMs: () => number,
  onLate: (transaction: Promise<unknown>) => void = () => {},
): StoreCalls {
  const lost = () => new EtcdError("the connection was lost", { outcome: "unknown" });
  return {
    range: (request, options) => client.range(request, options),
    async txn(request, options) {
      if (request.compare === undefined) return client.txn(request, options);
      const what = fate();
      switch (what) {
        case "done":
          return client.txn(request, options);
        case "not-sent":
          throw new EtcdError("no connection", { outcome: "not-sent" });
        case "refused":
          throw new EtcdError("etcdserver: mvcc: database space exceeded", { outcome: "refused" });
        case "lost":
          throw lost();
        case "unanswered":
          await client.txn(request, options);
          throw lost();
        case "late":
          onLate(
            delay(lateMs()).then(() =>
              client.txn(request, { signal: AbortSignal.timeout(40_000) }).catch(() => {}),
            ),
          );
          throw lost();
        default:
          return what satisfies never;
      }
    },
  };
}
