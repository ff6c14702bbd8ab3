import { mgmt } from "@daos/proto";
import type { ControlClient } from "./control-client.ts";
import { checkStatus } from "./status.ts";

/** How far a pool has come; `unknown` from a server that does not record pools. */
export type PoolState = "unknown" | "ready" | "creating" | "destroying" | "missing";

/** One pool of the system. A server of release 0.8.0 reports only uuid and service replicas. */
export interface PoolEntry {
  readonly uuid: string;
  /** The ranks that hold its service replicas. */
  readonly svcReplicas: readonly number[];
  /** Empty for none. */
  readonly label: string;
  readonly state: PoolState;
  /** SCM and NVMe per rank, bytes; undefined when they are not known. */
  readonly scmBytes: bigint | undefined;
  readonly nvmeBytes: bigint | undefined;
  /** The ranks that were requested; empty for all ranks at that time. */
  readonly ranks: readonly number[];
  /** Owner as `name@`; empty when it is not known. */
  readonly user: string;
  readonly group: string;
  readonly createdAt: Date | undefined;
  /** As in `admin at 10.0.0.7`. */
  readonly createdBy: string;
  /** What differs between the record and the data plane; empty when they agree. */
  readonly note: string;
}

export interface PoolList {
  /** By uuid. */
  readonly pools: readonly PoolEntry[];
  /** Why the data plane could not be asked: the pools are as they were recorded. Empty otherwise. */
  readonly outage: string;
}

const STATES: Readonly<Record<number, PoolState>> = {
  [mgmt.PoolState.POOL_READY]: "ready",
  [mgmt.PoolState.POOL_CREATING]: "creating",
  [mgmt.PoolState.POOL_DESTROYING]: "destroying",
  [mgmt.PoolState.POOL_MISSING]: "missing",
};

/** Lists the pools of the system, by uuid. @param attempted the purpose, for messages @throws Fault */
export function listPools(
  client: ControlClient,
  request: { readonly system: string },
  attempted = "list pools",
): Promise<PoolList> {
  return client.leader({
    attempted,
    timeoutMs: 60_000,
    repeatable: true,
    call: async (connection, options) => {
      const answer = await connection.mgmt.listPools({ sys: request.system, recorded: true }, options);
      checkStatus(attempted, answer.status);
      const pools = answer.pools.map(readPool).sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
      return { pools, outage: answer.outage };
    },
  });
}

function readPool(pool: mgmt.ListPoolsResp_Pool): PoolEntry {
  const { uuid, svcreps, label, state, scmbytes, nvmebytes, ranks, user, usergroup, note } = pool;
  const isKnown = scmbytes > 0n;
  return {
    uuid,
    svcReplicas: svcreps,
    label,
    state: STATES[state] ?? "unknown",
    scmBytes: isKnown ? scmbytes : undefined,
    nvmeBytes: isKnown ? nvmebytes : undefined,
    ranks,
    user,
    group: usergroup,
    createdAt: pool.createdAt === 0n ? undefined : new Date(Number(pool.createdAt)),
    createdBy: pool.createdBy,
    note,
  };
}
