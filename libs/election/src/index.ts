export type { AccessPoint, Election, LeaderView } from "./election.ts";
export { EtcdElection } from "./etcd-election.ts";
export { Follower } from "./follower.ts";
export { Leadership, type LeadershipOptions } from "./leadership.ts";

export { type MoveResult, moveToEtcd } from "./move-to-etcd.ts";
export { isLoopback, type ReplicaRole, replicaRole } from "./replica-role.ts";
export { StaticLeader } from "./static-leader.ts";
export { whileLeading } from "./while-leading.ts";
