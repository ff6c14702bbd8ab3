import type { PoolsResult } from "@daos/system";
import type { World } from "./world.ts";

/** Reports every violation of the expected state of the pools, after a time without faults and a list of the pools. */
export function checkPools({ history, leader, dataPlane }: World, listed: PoolsResult | undefined): void {
  if (listed === undefined) {
    history.violate("the pools cannot be listed");
    return;
  }
  const durable = new Map(history.pools.list().map((pool) => [pool.uuid, pool]));
  const held = leader?.server?.leadership.pools().list() ?? [];
  if (JSON.stringify(held, text) !== JSON.stringify(sorted([...durable.values()]), text))
    history.violate(`the leader has other pools than the store: ${held.length}, ${durable.size}`);
  const there = new Set(dataPlane.listPools());
  for (const uuid of there)
    if (!durable.has(uuid)) history.violate(`pool ${uuid} is in the data plane and not in the registry`);
  for (const uuid of history.pools.acknowledged())
    if (!durable.has(uuid) || !there.has(uuid))
      history.violate(
        `pool ${uuid} was acknowledged: registry ${durable.has(uuid)}, data plane ${there.has(uuid)}`,
      );
  for (const { uuid, state } of durable.values()) {
    const isRight = state === "ready" || (state === "creating" ? !there.has(uuid) : there.has(uuid));
    if (!isRight) history.violate(`pool ${uuid} is still ${state}`);
  }
  const shown = listed.pools.filter(({ inDataPlane }) => inDataPlane).map(({ record }) => record.uuid);
  if (shown.toSorted().join() !== [...there].toSorted().join())
    history.violate(`the list shows ${shown.length} pools as in the data plane, which has ${there.size}`);
}

function sorted<T extends { readonly uuid: string }>(pools: readonly T[]): readonly T[] {
  return pools.toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1));
}

/** JSON has no bigint. */
function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
