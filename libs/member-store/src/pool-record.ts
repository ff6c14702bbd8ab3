/** How far a pool has come, as the leader has recorded it. */
export type PoolState =
  /** Recorded before the data plane is asked to create it. */
  | "creating"
  | "ready"
  /** Recorded before the data plane is asked to destroy it. */
  | "destroying";

/** One pool, as the management service knows it. */
export interface PoolRecord {
  readonly uuid: string;
  /** Unique in the system; empty for none. */
  readonly label: string;
  readonly state: PoolState;
  /** Owner as `name@`; empty when it is not known. */
  readonly user: string;
  /** Owning group as `name@`; empty when it is not known. */
  readonly group: string;
  /** SCM per rank, bytes; 0 when it is not known. */
  readonly scmBytes: bigint;
  /** NVMe per rank, bytes. */
  readonly nvmeBytes: bigint;
  /** The ranks that were requested; empty for all ranks at that time. */
  readonly ranks: readonly number[];
  /** The ranks with its service replicas; empty while they are not known. */
  readonly svcReplicas: readonly number[];
  /** When it was recorded, ms since 1970 by the leader's clock. For display only, never for computing. */
  readonly createdAt: number;
  /** Who asked for it, as in `admin at 10.0.0.7`; empty when it was found in the data plane. */
  readonly createdBy: string;
}

/** One change of the pools of a store. The changes of one commit are made all or none. */
export type PoolChange =
  /** Adds a pool, or replaces the one with its uuid. */
  | { readonly kind: "put"; readonly pool: PoolRecord }
  /** Removes a pool. An unknown uuid is accepted. */
  | { readonly kind: "remove"; readonly uuid: string };

export function poolUuidOf(change: PoolChange): string {
  return change.kind === "put" ? change.pool.uuid : change.uuid;
}
