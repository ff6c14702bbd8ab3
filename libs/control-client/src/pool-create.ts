import type { ControlClient } from "./control-client.ts";
import { checkStatus } from "./status.ts";

export interface PoolCreateRequest {
  /** The uuid of the new pool. The caller makes it, so that it is known even if the answer is lost. */
  readonly uuid: string;
  /** Unique in the system; empty for none. */
  readonly label?: string | undefined;
  /** SCM per rank, in bytes. */
  readonly scmBytes: bigint;
  /** NVMe per rank, in bytes. */
  readonly nvmeBytes: bigint;
  /** The ranks to use; all of them when empty. */
  readonly ranks: readonly number[];
  /** How many replicas of the pool service. */
  readonly svcReplicas: number;
  /** Owner as `name@`. */
  readonly user: string;
  /** Owning group as `name@`. */
  readonly group: string;
  /** Access control entries in the short form, such as `A::OWNER@:rw`. */
  readonly acl: readonly string[];
  readonly system: string;
}

export interface PoolCreated {
  readonly uuid: string;
  readonly svcReplicas: readonly number[];
}

/** Creates a pool. After a lost connection the pool may exist. @throws Fault */
export function poolCreate(client: ControlClient, request: PoolCreateRequest): Promise<PoolCreated> {
  const attempted = `create pool ${request.uuid}`;
  return client.leader({
    attempted,
    timeoutMs: 10 * 60_000,
    call: async ({ mgmt }, options) => {
      const { uuid, label = "", scmBytes, nvmeBytes, ranks, user, group, acl, system } = request;
      const { status, svcreps } = await mgmt.poolCreate(
        {
          uuid,
          label,
          scmbytes: scmBytes,
          nvmebytes: nvmeBytes,
          ranks: [...ranks],
          numsvcreps: request.svcReplicas,
          user,
          usergroup: group,
          sys: system,
          acl: [...acl],
        },
        options,
      );
      checkStatus(attempted, status);
      return { uuid, svcReplicas: svcreps };
    },
  });
}
