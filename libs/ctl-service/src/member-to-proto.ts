import type { MessageInitShape } from "@bufbuild/protobuf";
import { formatHostAddress } from "@daos/hostlist";
import type { Member, MemberState } from "@daos/member-store";
import { ctl } from "@daos/proto";

/** The states of members as in the protocol. */
export const STATES: Readonly<Record<MemberState, ctl.MemberState>> = {
  joining: ctl.MemberState.MEMBER_JOINING,
  joined: ctl.MemberState.MEMBER_JOINED,
  stopping: ctl.MemberState.MEMBER_STOPPING,
  stopped: ctl.MemberState.MEMBER_STOPPED,
  excluded: ctl.MemberState.MEMBER_EXCLUDED,
  unresponsive: ctl.MemberState.MEMBER_UNRESPONSIVE,
  errored: ctl.MemberState.MEMBER_ERRORED,
  replaced: ctl.MemberState.MEMBER_REPLACED,
};

export function membersToProto(list: readonly Member[]) {
  return { members: list.map(memberToProto) };
}

export function memberToProto(member: Member): MessageInitShape<typeof ctl.SystemMemberSchema> {
  const { uuid, rank, address, state, reason, since, incarnation, uri, contexts, faultDomain, instance } =
    member;
  return {
    addr: formatHostAddress(address),
    uuid,
    rank,
    state: STATES[state],
    reason,
    since: BigInt(since),
    incarnation,
    uri,
    nctxs: contexts,
    faultDomain,
    engineNumber: instance === undefined ? 0 : instance + 1,
  };
}
