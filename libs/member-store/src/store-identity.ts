import { addChecksum, verifyChecksum } from "./document-checksum.ts";

/** What distinguishes one store of members from another, and how many changes it has seen. */
export interface StoreIdentity {
  /** A uuid, made with the store. */
  readonly id: string;
  /** How often an administrator has accepted or restored the store. */
  readonly generation: number;
  /** Grows with every change: of the file its commits, of etcd its revision. */
  readonly revision: number;
  /** etcd's cluster id in hexadecimal digits; absent for a file. */
  readonly cluster?: string | undefined;
}

/**
 * Compares a store with the marker that this host has of it.
 *
 * @param found undefined when the store has no identity: it is new, empty, or an earlier release made it
 * @returns why it must not be used; undefined when it may
 */
export function checkStoreIdentity(
  marker: StoreIdentity | undefined,
  found: StoreIdentity | undefined,
): string | undefined {
  if (marker === undefined) return undefined;
  const before = `${marker.id}, generation ${marker.generation}, revision ${marker.revision}`;
  if (found === undefined) return `it is empty or missing, and this host has seen it before (${before})`;
  if (found.id !== marker.id) return `it is another store, ${found.id}; this host has seen ${before}`;
  if (found.generation > marker.generation) return undefined;
  if (found.generation < marker.generation || found.revision < marker.revision)
    return `it has gone back to generation ${found.generation}, revision ${found.revision}; this host has seen ${before}`;
  if (found.cluster !== marker.cluster)
    return `it is in the etcd cluster ${found.cluster ?? "?"}; this host has seen it in ${marker.cluster ?? "a file"}`;
  return undefined;
}

/** Encodes an identity, as one line of JSON with a checksum. */
export function encodeIdentity({ id, generation, revision, cluster }: StoreIdentity): string {
  return addChecksum(JSON.stringify({ version: 1, id, generation, revision, cluster }));
}

/** Decodes what {@link encodeIdentity} wrote. @throws Error with the reason */
export function decodeIdentity(document: string): StoreIdentity {
  if (!verifyChecksum(document)) throw new Error("it has no checksum");
  const { version, id, generation, revision, cluster } = JSON.parse(document) as Readonly<
    Record<string, unknown>
  >;
  if (version !== 1) throw new Error(`its version is ${String(version)}, not 1`);
  if (typeof id !== "string" || !isCount(generation) || !isCount(revision))
    throw new Error("it is not the identity of a store");
  return { id, generation, revision, ...(typeof cluster === "string" && { cluster }) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
