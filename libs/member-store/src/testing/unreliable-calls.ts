import { type EtcdClient, EtcdError } from "@daos/etcd";
import { delay } from "@daos/sys";
import type { StoreCalls } from "../term-writer.ts";

/** What becomes of a transaction on its way. */
export type Fate =
  | "done"
  /** It never leaves, and the caller knows. */
  | "not-sent"
  /** etcd refuses it. */
  | "refused"
  /** It never arrives, and the caller does not know. */
  | "lost"
  /** It is done, and the answer is lost. */
  | "unanswered"
  /** The caller hears that the connection is gone; some time later it is done after all, if its conditions hold then. */
  | "late";

/**
 * The calls of a client whose network fails; `fate` decides for each transaction that changes something. `onLate` gets those
 * that are late, each until it has been done or refused.
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
