import { randomUUID } from "node:crypto";
import { bytes, type EtcdCalls, text } from "@daos/etcd";
import { etcd } from "@daos/proto";
import type { EtcdKeys } from "./etcd-keys.ts";
import { faultMemberStoreReplaced } from "./faults.ts";
import type { MarkerFile } from "./marker-file.ts";
import { checkStoreIdentity, decodeIdentity, encodeIdentity, type StoreIdentity } from "./store-identity.ts";

export interface EtcdIdentityOptions {
  readonly keys: EtcdKeys;
  /** What this host has seen of the store. Must not throw when an unusable file should not stop the host. */
  readonly marker: Pick<MarkerFile, "read" | "write">;
  /** Go on with a store that is not as this host has seen it before; it gets the next generation. */
  readonly accept?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** The identity of the members in etcd, and the revision at which its key was created. */
export interface EtcdIdentity {
  readonly identity: StoreIdentity;
  readonly createRevision: bigint;
}

interface Found {
  readonly identity: StoreIdentity | undefined;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly revision: number;
  readonly cluster: string;
}

/** A candidate that has lost the race reads the identity that the other wrote. */
const ATTEMPTS = 5;

/**
 * Compares etcd with the marker of this host, before the host takes part in the election. A system that has no identity gets
 * one.
 *
 * @throws Fault memberStoreReplaced; EtcdError; the failure of the marker's file system
 */
export async function checkEtcdIdentity(
  client: Pick<EtcdCalls, "range" | "txn">,
  options: EtcdIdentityOptions,
): Promise<EtcdIdentity> {
  const { keys, marker, accept = false } = options;
  for (let attempt = 1; ; attempt++) {
    const found = await readIdentity(client, options);
    const { revision, cluster } = found;
    const read = marker.read();
    const seen = read.kind === "seen" ? read.identity : undefined;
    const refusal = checkStoreIdentity(seen, found.identity);
    if (refusal !== undefined && !accept)
      throw faultMemberStoreReplaced(`etcd under ${keys.members}`, refusal);
    if (refusal === undefined && found.identity !== undefined) {
      marker.write(found.identity);
      return { identity: found.identity, createRevision: found.createRevision };
    }
    const next: StoreIdentity = {
      id: seen?.id ?? randomUUID(),
      generation: Math.max(seen?.generation ?? 0, found.identity?.generation ?? 0) + 1,
      revision,
      cluster,
    };
    const written = await writeIdentity(client, found, next, options);
    // The value is read back with the revision of the write.
    if (!written && attempt === ATTEMPTS) throw new Error("the identity of the store keeps changing in etcd");
  }
}

async function readIdentity(
  client: Pick<EtcdCalls, "range">,
  { keys, signal }: EtcdIdentityOptions,
): Promise<Found> {
  const { kvs, header } = await client.range({ key: bytes(keys.identity) }, { signal });
  const [kv] = kvs;
  const revision = Number(header?.revision ?? 0n);
  const cluster = (header?.clusterId ?? 0n).toString(16);
  const stored = kv === undefined ? undefined : decodeIdentity(text(kv.value));
  return {
    identity: stored && { ...stored, revision, cluster },
    createRevision: kv?.createRevision ?? 0n,
    modRevision: kv?.modRevision ?? 0n,
    revision,
    cluster,
  };
}

async function writeIdentity(
  client: Pick<EtcdCalls, "txn">,
  { modRevision }: Found,
  next: StoreIdentity,
  { keys, signal }: EtcdIdentityOptions,
): Promise<boolean> {
  const key = bytes(keys.identity);
  const { MOD } = etcd.Compare_CompareTarget;
  const { succeeded } = await client.txn(
    {
      compare: [{ key, target: MOD, targetUnion: { case: "modRevision", value: modRevision } }],
      success: [{ request: { case: "requestPut", value: { key, value: bytes(encodeIdentity(next)) } } }],
    },
    { signal },
  );
  return succeeded;
}
