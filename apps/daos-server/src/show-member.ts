import { formatHostAddress } from "@daos/hostlist";
import type { Member } from "@daos/member-store";

/** A member in the result of a command. */
export function listMember(member: Member) {
  return { ...member, address: formatHostAddress(member.address) };
}

/** A member in one line: `rank 3  UUID  node1:10001  excluded: by an administrator`. */
export function memberLine({ rank, uuid, address, state, reason }: Member): string {
  const why = reason === "" ? "" : `: ${reason}`;
  return `rank ${rank}  ${uuid}  ${formatHostAddress(address)}  ${state}${why}`;
}
