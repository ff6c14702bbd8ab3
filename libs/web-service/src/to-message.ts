import type { MessageInitShape } from "@bufbuild/protobuf";
import type { MemberState, MemberStatus, PoolEntry, SystemEvent } from "@daos/control-client";
import { ctl, type web } from "@daos/proto";

/** Converts a member to the servers' message, which the page reads. */
export function memberMessage(member: MemberStatus): MessageInitShape<typeof ctl.SystemMemberSchema> {
  return {
    addr: member.address,
    uuid: member.uuid,
    rank: member.rank,
    state: stateNumber(member.state),
    reason: member.reason,
    since: BigInt(member.since?.getTime() ?? 0),
    incarnation: member.incarnation,
    uri: member.fabricUri,
    faultDomain: member.faultDomain,
  };
}

/** Converts an event to the servers' message, which the page reads. */
export function eventMessage(event: SystemEvent): MessageInitShape<typeof ctl.SystemEventSchema> {
  return {
    number: BigInt(event.number),
    time: BigInt(event.time.getTime()),
    kind: event.kind,
    severity: event.severity,
    message: event.message,
    rank: event.rank,
    uuid: event.uuid,
    addr: event.address,
  };
}

/** Converts a pool to the message that the page reads. */
export function poolMessage(pool: PoolEntry): MessageInitShape<typeof web.PoolSchema> {
  const { uuid, svcReplicas, label, state, scmBytes = 0n, nvmeBytes = 0n, user, group, note } = pool;
  return { uuid, svcReplicas: [...svcReplicas], label, state, scmBytes, nvmeBytes, user, group, note };
}

/** The number of a state. */
export function stateNumber(state: MemberState): ctl.MemberState {
  return ctl.MemberState[`MEMBER_${state.toUpperCase()}` as keyof typeof ctl.MemberState];
}
