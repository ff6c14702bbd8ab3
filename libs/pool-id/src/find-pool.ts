/** The names by which a pool is found. */
export interface PoolNames {
  readonly uuid: string;
  /** Empty when the pool has none. */
  readonly label: string;
}

/** The outcome of a search for a pool. */
export type FoundPool<Pool> =
  | { readonly kind: "found"; readonly pool: Pool }
  | { readonly kind: "unknown" }
  /** The beginning of the uuids of several pools. */
  | { readonly kind: "ambiguous"; readonly pools: readonly Pool[] };

/** Minimum length of the beginning of a uuid: a shorter one is more likely a typing error. */
export const MIN_UUID_PREFIX = 4;

/**
 * Finds a pool by its label, its uuid, or the unique beginning of its uuid with at least 4 digits, in this order. A label
 * that looks like the beginning of a uuid is a label.
 */
export function findPool<Pool extends PoolNames>(pools: readonly Pool[], text: string): FoundPool<Pool> {
  const labelled = pools.find(({ label }) => label !== "" && label === text);
  if (labelled !== undefined) return { kind: "found", pool: labelled };
  const prefix = text.toLowerCase();
  if (prefix.length < MIN_UUID_PREFIX || !/^[\da-f-]+$/.test(prefix)) return { kind: "unknown" };
  const found = pools.filter(({ uuid }) => uuid.toLowerCase().startsWith(prefix));
  const [pool] = found;
  if (pool === undefined) return { kind: "unknown" };
  return found.length === 1 ? { kind: "found", pool } : { kind: "ambiguous", pools: found };
}
