import { bytes, type EtcdClient } from "@daos/etcd";
import { etcdKeys } from "../etcd-keys.ts";
import { EtcdMemberStore } from "../etcd-member-store.ts";
import type { FencedTerm, StoreCalls } from "../term-writer.ts";

/** A term without an election. Its leader key has no lease, and the next term replaces it. */
export interface TestTerm extends FencedTerm {
  readonly store: EtcdMemberStore;
  /** Why the term ended early. */
  readonly givenUp: unknown;
  end(): void;
}

/**
 * Begins a term in etcd, with a store that uses `calls`. The store before is not notified: its fence must prevent its
 * writes.
 */
export async function openTerm(
  client: EtcdClient,
  system: string,
  calls: StoreCalls = client,
): Promise<TestTerm> {
  const call = { signal: AbortSignal.timeout(40_000), timeoutMs: 20_000 };
  const key = bytes(etcdKeys(system).leader);
  await client.deleteRange({ key }, call);
  const { header } = await client.put({ key, value: bytes("test") }, call);
  const controller = new AbortController();
  const { signal } = controller;
  const term = {
    number: Number(header?.revision),
    signal,
    givenUp: undefined as unknown,
    holds: () => !signal.aborted,
    giveUp: (reason: unknown) => {
      term.givenUp ??= reason;
      controller.abort(reason);
    },
    end: () => controller.abort(new Error("the test has ended the term")),
  };
  return Object.assign(term, { store: new EtcdMemberStore({ client: calls, system, term }) });
}
