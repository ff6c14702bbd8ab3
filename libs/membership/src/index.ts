export { Bystander } from "./bystander.ts";
export type { AccessPoint, Election, LeaderView, Term } from "./election.ts";
export { decodeMember, encodeMember, isUnreadable, readKept } from "./encode-member.ts";
export { EtcdElection, type EtcdElectionOptions } from "./etcd-election.ts";
export { etcdKnows } from "./etcd-knows.ts";
export {
  faultLeadershipLost,
  faultMemberStore,
  faultMembersNotMovable,
  faultMembersUnreadable,
  faultRankTaken,
} from "./faults.ts";
export { FixedLeader, type FixedLeaderOptions } from "./fixed-leader.ts";
export { HostSilence, watchHosts } from "./host-silence.ts";
export { Leadership, type LeadershipOptions } from "./leadership.ts";
export type { Member, MemberState } from "./member.ts";
export type { LoadOptions, MemberChange, MemberStore, UnreadableMember } from "./member-store.ts";
export {
  type JoinAttempt,
  type JoinPlan,
  Membership,
  type MembershipOptions,
  type Selected,
} from "./membership.ts";
export { type MoveMembersOptions, moveMembers } from "./move-members.ts";
export { type Condition, type EngineReport, planTransition } from "./plan-transition.ts";
export {
  type KeptMembers,
  readMembersFile,
  readMembersInEtcd,
  repairMembersFile,
  repairMembersInEtcd,
} from "./repair-members.ts";
export { isLoopback, type ReplicaRole, type ReplicaRoleOptions, replicaRole } from "./replica-role.ts";
export { SqliteMemberStore, type SqliteMemberStoreOptions } from "./sqlite-member-store.ts";
export { type SystemEvent, type SystemEventKind, SystemEvents } from "./system-events.ts";
export { type WhileLeadingOptions, whileLeading } from "./while-leading.ts";
