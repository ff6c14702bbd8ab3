import type { MessageInitShape } from "@bufbuild/protobuf";
import { ctl } from "@daos/proto";

/** The members of a large system. */
export const MEMBERS_BENCHED = 2048;

/** A member in the form that the leader sends. */
export function memberMessage(rank: number): MessageInitShape<typeof ctl.SystemMemberSchema> {
  return {
    addr: `10.0.0.${rank % 256}:10001`,
    uuid: `00000000-0000-4000-8000-${rank.toString(16).padStart(12, "0")}`,
    rank,
    state: ctl.MemberState.MEMBER_JOINED,
    since: 1_795_478_400_000n,
    incarnation: 1,
    uri: `ofi+tcp://10.0.0.${rank % 256}:${31_416 + (rank >> 8)}`,
    nctxs: 2,
    faultDomain: `/rack${rank % 16}/node${rank % 256}`,
  };
}
