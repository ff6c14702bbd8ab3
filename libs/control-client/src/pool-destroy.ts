import type { ControlClient } from "./control-client.ts";
import { checkStatus } from "./status.ts";

export interface PoolDestroyRequest {
  readonly uuid: string;
  /** Destroys it also while clients are connected. */
  readonly force: boolean;
  readonly system: string;
}

/** Destroys a pool and its data. @throws Fault */
export async function poolDestroy(client: ControlClient, request: PoolDestroyRequest): Promise<void> {
  const attempted = `destroy pool ${request.uuid}`;
  await client.leader({
    attempted,
    timeoutMs: 5 * 60_000,
    call: async ({ mgmt }, options) => {
      const { uuid, force, system } = request;
      const { status } = await mgmt.poolDestroy({ uuid, force, sys: system }, options);
      checkStatus(attempted, status);
    },
  });
}
