import { create, toBinary } from "@bufbuild/protobuf";
import type { Leadership } from "@daos/election";
import type { Member } from "@daos/member-store";
import { mgmt } from "@daos/proto";

/** A rank through which a client attaches. */
export interface AttachRank {
  readonly rank: number;
  /** Fabric address. */
  readonly uri: string;
}

/**
 * Maximum size of the answer, bytes: the agent of release 0.8.0 forwards it in one dRPC packet of 16,384 bytes with a
 * frame.
 */
const MAX_BYTES = 16_000;

/**
 * The joined ranks, through which clients attach. A client needs one live rank and finds the others through it. When
 * there are more ranks than the agent can forward, every n-th one is returned.
 *
 * @returns the same list until a member changes; undefined when this host cannot read the members, or none is joined
 * @throws the reason of the signal
 */
export async function attachInfo(
  leadership: Pick<Leadership, "members">,
  wait: { readonly signal: AbortSignal },
): Promise<readonly AttachRank[] | undefined> {
  try {
    const ranks = ranksOf(await leadership.members(wait));
    return ranks.length === 0 ? undefined : ranks;
  } catch {
    wait.signal.throwIfAborted();
    return undefined;
  }
}

const known = new WeakMap<readonly Member[], readonly AttachRank[]>();

function ranksOf(members: readonly Member[]): readonly AttachRank[] {
  const ranks = known.get(members) ?? attachRanks(members);
  known.set(members, ranks);
  return ranks;
}

/** The joined ranks that fit into one answer. */
export function attachRanks(members: readonly Member[]): readonly AttachRank[] {
  const joined = members
    .filter(({ state, uri }) => state === "joined" && uri !== "")
    .map(({ rank, uri }) => ({ rank, uri }));
  const step = Math.ceil(sizeOf(joined) / MAX_BYTES);
  for (let every = Math.max(1, step); ; every++) {
    const some = joined.filter((_, index) => index % every === 0);
    if (sizeOf(some) <= MAX_BYTES) return some;
  }
}

function sizeOf(psrs: readonly AttachRank[]): number {
  const { GetAttachInfoRespSchema: schema } = mgmt;
  return toBinary(schema, create(schema, { psrs: [...psrs] })).length;
}
