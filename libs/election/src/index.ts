export type { AccessPoint, Election, LeaderView, Term } from "./election.ts";
export { EtcdElection, type EtcdElectionOptions } from "./etcd-election.ts";
export { Follower } from "./follower.ts";
export { Leadership, type LeadershipOptions } from "./leadership.ts";
export { type MoveMembersOptions, moveMembers } from "./move-members.ts";
export { type MoveResult, type MoveToEtcdOptions, moveToEtcd } from "./move-to-etcd.ts";
export { isLoopback, type ReplicaRole, type ReplicaRoleOptions, replicaRole } from "./replica-role.ts";
export { StaticLeader, type StaticLeaderOptions } from "./static-leader.ts";
export { type WhileLeadingOptions, whileLeading } from "./while-leading.ts";
