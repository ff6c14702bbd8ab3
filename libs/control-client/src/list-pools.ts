import type { ControlClient } from "./control-client.ts";
import { checkStatus } from "./status.ts";

/** One pool of the system. */
export interface PoolEntry {
  readonly uuid: string;
  /** The ranks that hold its service replicas. */
  readonly svcReplicas: readonly number[];
}

/** Lists the pools of the system, by uuid. @param attempted the purpose, for messages @throws Fault */
export function listPools(
  client: ControlClient,
  request: { readonly system: string },
  attempted = "list pools",
): Promise<readonly PoolEntry[]> {
  return client.leader({
    attempted,
    timeoutMs: 60_000,
    repeatable: true,
    call: async ({ mgmt }, options) => {
      const { status, pools } = await mgmt.listPools({ sys: request.system }, options);
      checkStatus(attempted, status);
      return pools
        .map(({ uuid, svcreps }) => ({ uuid, svcReplicas: svcreps }))
        .sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
    },
  });
}
