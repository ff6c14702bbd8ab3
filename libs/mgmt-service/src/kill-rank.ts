import { drpcMethods } from "@daos/drpc";
import { FaultCode, hasCode } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";

/**
 * Stops one engine of this host. The engine may end before it has answered, or linger after it has: both count as
 * stopped, and its process is killed after a grace period.
 *
 * @returns the engine's status
 */
export async function killRank(
  instance: EngineInstance,
  request: { readonly rank: number; readonly force: boolean },
  options: { readonly signal: AbortSignal },
): Promise<number> {
  instance.expectStop();
  try {
    return (await instance.call(drpcMethods.killRank, request, options)).status;
  } catch (error) {
    if (hasCode(error, FaultCode.drpcConnectionLost)) return 0;
    throw error;
  }
}
