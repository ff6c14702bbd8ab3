import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";

/** The members of one host. */
export interface HostMembers {
  readonly address: HostAddress;
  readonly members: readonly Member[];
}

/** Members by the host that they are on. */
export function membersByHost(members: readonly Member[]): readonly HostMembers[] {
  const groups = Map.groupBy(members, ({ address }) => formatHostAddress(address));
  return [...groups.values()].map((group) => ({ address: (group[0] as Member).address, members: group }));
}

/** Calls `work` for each item, at most `limit` at a time. */
export async function eachOf<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
