import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ListedState, NewPool } from "@daos/pool-registry";
import { mgmt } from "@daos/proto";
import type { PoolsResult } from "@daos/system";

const STATES: Readonly<Record<ListedState, mgmt.PoolState>> = {
  ready: mgmt.PoolState.POOL_READY,
  creating: mgmt.PoolState.POOL_CREATING,
  destroying: mgmt.PoolState.POOL_DESTROYING,
  missing: mgmt.PoolState.POOL_MISSING,
};

/** The pool that a request asks for. @param createdBy who asks, as in `admin at 10.0.0.7` */
export function poolFromProto(request: mgmt.PoolCreateReq, createdBy: string): NewPool {
  const { uuid, label, user, usergroup: group, scmbytes, nvmebytes, ranks } = request;
  return {
    uuid: uuid.toLowerCase(),
    label,
    user,
    group,
    scmBytes: scmbytes,
    nvmeBytes: nvmebytes,
    ranks: [...ranks],
    createdBy,
  };
}

export function poolsToProto({
  pools,
  outage,
}: PoolsResult): MessageInitShape<typeof mgmt.ListPoolsRespSchema> {
  return {
    status: 0,
    registered: true,
    outage: outage?.message ?? "",
    pools: pools.map(({ record, svcReplicas, state, note }) => ({
      uuid: record.uuid,
      svcreps: [...svcReplicas],
      label: record.label,
      state: STATES[state],
      scmbytes: record.scmBytes,
      nvmebytes: record.nvmeBytes,
      ranks: [...record.ranks],
      user: record.user,
      usergroup: record.group,
      createdAt: BigInt(record.createdAt),
      createdBy: record.createdBy,
      note,
    })),
  };
}
