import { Fault, FaultCode } from "@daos/fault";
import { findPool, isPoolUuid, MIN_UUID_PREFIX } from "@daos/pool-id";
import type { ControlClient } from "./control-client.ts";
import { listPools } from "./list-pools.ts";

/**
 * The uuid of the pool that a text means: its label, its uuid, or the unique beginning of its uuid. A whole uuid is
 * returned unchanged, without a request.
 *
 * @throws Fault poolUnknown, poolAmbiguous; of the list of pools
 */
export async function resolvePool(
  client: ControlClient,
  text: string,
  request: { readonly system: string },
): Promise<string> {
  const name = text.trim();
  if (isPoolUuid(name)) return name.toLowerCase();
  const { pools } = await listPools(client, request, `find the pool ${name}`);
  const found = findPool(pools, name);
  if (found.kind === "found") return found.pool.uuid.toLowerCase();
  if (found.kind === "ambiguous") throw faultAmbiguous(name, found.pools);
  throw faultUnknown(name);
}

function faultUnknown(name: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.poolUnknown,
    description: `the system has no pool ${JSON.stringify(name)}`,
    reason: `it is neither a label nor the beginning of a uuid with ${MIN_UUID_PREFIX} digits or more`,
    resolution: "list the pools with: dmg pool list",
  });
}

function faultAmbiguous(name: string, pools: readonly { readonly uuid: string }[]): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.poolAmbiguous,
    description: `${JSON.stringify(name)} matches ${pools.length} pools`,
    reason: pools.map(({ uuid }) => uuid).join(", "),
    resolution: "give more digits of the uuid, or the label",
  });
}
