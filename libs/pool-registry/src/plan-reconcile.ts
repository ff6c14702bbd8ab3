import type { PoolChange, PoolRecord } from "@daos/member-store";

/** A pool as the data plane has it. */
export interface DataPlanePool {
  readonly uuid: string;
  readonly svcReplicas: readonly number[];
}

/** The state of a pool as it is shown. */
export type ListedState =
  | "ready"
  | "creating"
  | "destroying"
  /** It was created, and the data plane does not have it. */
  | "missing";

/** A pool of the registry, of the data plane or of both. */
export interface ListedPool {
  readonly record: PoolRecord;
  readonly svcReplicas: readonly number[];
  readonly state: ListedState;
  /** The data plane has reported it. */
  readonly inDataPlane: boolean;
  /** What differs between both; empty when they agree. */
  readonly note: string;
}

export interface ReconcileOptions {
  /** Nothing is being done to the pool, and nothing was while the data plane was asked. */
  readonly isSettled: (uuid: string) => boolean;
  /** For how long a pool has been unfinished in this term, ms. */
  readonly unfinishedFor: (uuid: string) => number;
  /** ms since 1970. */
  readonly wallTime: number;
}

export interface ReconcilePlan {
  readonly listed: readonly ListedPool[];
  readonly changes: readonly PoolChange[];
  /** States of pools that the data plane may or may not have in the end. */
  readonly unfinished: ReadonlySet<string>;
}

/** How long the data plane may still work on a call whose leader has died, ms. */
const CALL_MS = 300_000;

/** Compares the pools of the registry with those of the data plane. */
export function planReconcile(
  records: readonly PoolRecord[],
  found: readonly DataPlanePool[],
  options: ReconcileOptions,
): ReconcilePlan {
  const inDataPlane = new Map(found.map((pool) => [pool.uuid.toLowerCase(), pool]));
  const known = new Set(records.map(({ uuid }) => uuid));
  const changes: PoolChange[] = [];
  const unfinished = new Set<string>();
  const listed: ListedPool[] = [];
  for (const record of records) {
    const there = inDataPlane.get(record.uuid);
    const { shown, change, isUnfinished } = assess(record, there, options);
    if (shown !== undefined) listed.push(shown);
    if (change !== undefined) changes.push(change);
    if (isUnfinished) unfinished.add(record.uuid);
  }
  for (const [uuid, { svcReplicas }] of inDataPlane) {
    if (known.has(uuid) || !options.isSettled(uuid)) continue;
    const record = recordOf(uuid, svcReplicas, options.wallTime);
    const note = "not created through this control plane";
    listed.push({ record, svcReplicas, state: "ready", inDataPlane: true, note });
    changes.push({ kind: "put", pool: record });
  }
  listed.sort((a, b) => (a.record.uuid < b.record.uuid ? -1 : 1));
  return { listed, changes, unfinished };
}

interface Assessment {
  readonly shown: ListedPool | undefined;
  readonly change?: PoolChange | undefined;
  readonly isUnfinished?: boolean | undefined;
}

function assess(record: PoolRecord, there: DataPlanePool | undefined, options: ReconcileOptions): Assessment {
  const { uuid, state } = record;
  const svcReplicas = there?.svcReplicas ?? record.svcReplicas;
  const shown = (as: ListedState, note = ""): ListedPool => ({
    record,
    svcReplicas,
    state: as,
    inDataPlane: there !== undefined,
    note,
  });
  if (!options.isSettled(uuid)) return { shown: shown(state) };
  if (state === "ready") {
    if (there === undefined)
      return { shown: shown("missing", "the data plane does not have it; dmg pool destroy forgets it") };
    const note = record.createdBy === "" ? "not created through this control plane" : "";
    const moved = there.svcReplicas.join() !== record.svcReplicas.join();
    const change: PoolChange = { kind: "put", pool: { ...record, svcReplicas } };
    return { shown: shown("ready", note), change: moved ? change : undefined };
  }
  if (state === "creating" && there !== undefined)
    return {
      shown: shown("ready"),
      change: { kind: "put", pool: { ...record, state: "ready", svcReplicas } },
    };
  // The call of a leader that died may still be under way in the data plane.
  const isOver = options.unfinishedFor(uuid) >= CALL_MS;
  if (there !== undefined)
    return {
      shown: shown("destroying", isOver ? "its destruction has not ended; repeat dmg pool destroy" : ""),
      isUnfinished: true,
    };
  if (isOver || state === "destroying") return { shown: undefined, change: { kind: "remove", uuid } };
  return { shown: shown("creating", "it is not known yet whether it is created"), isUnfinished: true };
}

function recordOf(uuid: string, svcReplicas: readonly number[], createdAt: number): PoolRecord {
  return {
    uuid,
    label: "",
    state: "ready",
    user: "",
    group: "",
    scmBytes: 0n,
    nvmeBytes: 0n,
    ranks: [],
    svcReplicas,
    createdAt,
    createdBy: "",
  };
}
