import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";

/** The members of one host. */
export interface HostMembers {
  readonly address: HostAddress;
  readonly members: readonly Member[];
}

/** Groups members by their host. */
export function membersByHost(members: readonly Member[]): readonly HostMembers[] {
  const groups = Map.groupBy(members, ({ address }) => formatHostAddress(address));
  return [...groups.values()].map((group) => ({ address: (group[0] as Member).address, members: group }));
}
