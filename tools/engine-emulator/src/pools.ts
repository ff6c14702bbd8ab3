import { DEFAULT_ACL, normalizeAcl } from "./acl.ts";
import type { Capacity } from "./capacity.ts";
import type { ManagementService, Pool } from "./engine-state.ts";
import { parseUuid, STATUS } from "./status.ts";

export interface PoolRequest {
  readonly uuid: string;
  readonly scmbytes: bigint;
  readonly nvmebytes: bigint;
  readonly ranks: readonly number[];
  readonly numsvcreps: number;
  readonly user: string;
  readonly usergroup: string;
  readonly acl: readonly string[];
}

/** The planned pool, or the status of a refusal. */
export type PoolPlan =
  | { readonly status: 0; readonly pool: Pool }
  | { readonly status: number; readonly pool?: undefined };

/**
 * Plans a pool on the requested ranks, or on all. {@link chooseReplicas} places its service replicas. Its share must fit beside
 * the other pools on each rank. All ranks are assumed to be as large as this one.
 */
export function planPool(ms: ManagementService, capacity: Capacity, request: PoolRequest): PoolPlan {
  const uuid = parseUuid(request.uuid);
  if (uuid === undefined || request.scmbytes === 0n || request.numsvcreps === 0)
    return { status: STATUS.INVAL };
  const acl = normalizeAcl(request.acl.length === 0 ? DEFAULT_ACL : request.acl);
  if (acl === undefined) return { status: STATUS.INVAL };
  if (findPool(ms, uuid) !== undefined) return { status: STATUS.EXIST };

  const joined = ms.servers.map(({ rank }) => rank);
  const ranks = request.ranks.length === 0 ? joined : [...new Set(request.ranks)].sort((a, b) => a - b);
  if (ranks.length === 0 || !ranks.every((rank) => joined.includes(rank))) return { status: STATUS.OOG };

  const free = ranks.map((rank) => freeSpace(ms, capacity, rank));
  if (free.some(({ scm, nvme }) => request.scmbytes > BigInt(scm) || request.nvmebytes > BigInt(nvme))) {
    return { status: STATUS.NOSPACE };
  }
  const pool = {
    uuid,
    scmBytes: Number(request.scmbytes),
    nvmeBytes: Number(request.nvmebytes),
    ranks,
    svcReps: chooseReplicas(ranks, request.numsvcreps),
    owner: request.user,
    ownerGroup: request.usergroup,
    acl,
  };
  return { status: 0, pool };
}

/**
 * The ranks with a service replica, at most the requested number. Rank 0 is avoided when there are others. Two ranks therefore
 * get one replica, which is nevertheless on rank 0.
 *
 * @see DAOS 0.8.0 src/pool/srv_pool.c select_svc_ranks
 */
function chooseReplicas(ranks: readonly number[], wanted: number): readonly number[] {
  const others = ranks.filter((rank) => rank !== 0);
  const most = Math.max(1, others.length);
  return (most > 1 ? others : ranks).slice(0, Math.min(wanted, most));
}

/** The free space of a rank, in bytes. */
export function freeSpace(ms: ManagementService, capacity: Capacity, rank: number): Capacity {
  const here = ms.pools.filter((pool) => pool.ranks.includes(rank));
  const used = (of: (pool: Pool) => number) => here.reduce((sum, pool) => sum + of(pool), 0);
  return {
    scm: Math.max(0, capacity.scm - used((pool) => pool.scmBytes)),
    nvme: Math.max(0, capacity.nvme - used((pool) => pool.nvmeBytes)),
  };
}

export function findPool(ms: ManagementService, uuid: string): Pool | undefined {
  const wanted = parseUuid(uuid);
  return ms.pools.find((pool) => pool.uuid === wanted);
}
