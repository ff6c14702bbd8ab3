import { formatHostAddress } from "@daos/hostlist";
import type { Member, PoolRecord, UnreadableMember } from "@daos/member-store";

/** A member in the result of a command. */
export function listMember(member: Member) {
  return { ...member, address: formatHostAddress(member.address) };
}

/** A member as one line: `rank 3 UUID node1:10001 excluded: by an administrator`. */
export function memberLine({ rank, uuid, address, state, reason }: Member): string {
  const why = reason === "" ? "" : `: ${reason}`;
  return `rank ${rank}  ${uuid}  ${formatHostAddress(address)}  ${state}${why}`;
}

/** A pool in the result of a command. Sizes are decimal strings. */
interface PoolInResult extends Omit<PoolRecord, "scmBytes" | "nvmeBytes"> {
  readonly scmBytes: string;
  readonly nvmeBytes: string;
}

export function listPool(pool: PoolRecord): PoolInResult {
  return { ...pool, scmBytes: `${pool.scmBytes}`, nvmeBytes: `${pool.nvmeBytes}` };
}

/** A pool as one line: `pool UUID scratch ready`. */
export function poolLine({ uuid, label, state }: PoolRecord): string {
  return `pool ${uuid}  ${label === "" ? "-" : label}  ${state}`;
}

/** The name of an unreadable entry: `engine "UUID"`. */
export function unreadableName({ kind, uuid }: UnreadableMember): string {
  return `${kind === "pool" ? "pool" : "engine"} ${JSON.stringify(uuid)}`;
}
