import { bytes, type EtcdClient, prefixEnd, text } from "@daos/etcd";
import { decodeMember, etcdKeys } from "@daos/member-store";
import { etcd } from "@daos/proto";

/** The history in etcd of a system whose members' reasons name the term in which they were written. */
export interface FencingReport {
  /** The terms in the order in which they began. */
  readonly terms: readonly number[];
  readonly commits: number;
  /** Members that were written in another term than that of the leader key at the time. */
  readonly violations: readonly string[];
  /** The last write of each term. */
  readonly last: ReadonlyMap<number, number>;
}

/** Reads the history of a system up to now. */
export async function readFencing(client: EtcdClient, system: string): Promise<FencingReport> {
  const keys = etcdKeys(system);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(40_000)]);
  const { header } = await client.range({ key: bytes(keys.leader) }, { signal });
  const until = header?.revision ?? 0n;
  // A key of this system's own marks the end of what is read.
  const end = bytes(`/daos/${system}/~end`);
  await client.put({ key: end, value: bytes("") }, { signal });
  const prefix = `/daos/${system}/`;
  const terms: number[] = [];
  const violations: string[] = [];
  const last = new Map<number, number>();
  let term: number | undefined;
  let commits = 0;
  const range = { key: bytes(prefix), rangeEnd: prefixEnd(prefix), startRevision: 1n };
  for await (const { events } of client.watch(range, { signal })) {
    for (const { kv, type } of events) {
      if (kv === undefined) continue;
      if (kv.modRevision > until) {
        stop.abort();
        return { terms, commits, violations, last };
      }
      const key = text(kv.key);
      if (key === keys.leader) {
        term = type === etcd.Event_EventType.PUT ? Number(kv.createRevision) : undefined;
        // A term's heartbeats write its key again.
        if (term !== undefined && term !== terms.at(-1)) terms.push(term);
      } else if (key.startsWith(keys.members)) {
        const member = decodeMember(text(kv.value));
        commits++;
        last.set(Number(member.reason), member.incarnation);
        if (member.reason !== String(term)) {
          violations.push(`revision ${kv.modRevision}: written in term ${member.reason}, while ${term} led`);
        }
      }
    }
  }
  throw new Error("the history ended early");
}
