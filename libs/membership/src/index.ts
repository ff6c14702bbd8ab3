export { Leadership, type LeadershipOptions } from "./leadership.ts";
export type { Member } from "./member.ts";
export { type MemberStore, SqliteMemberStore } from "./member-store.ts";
export { type JoinAttempt, type JoinPlan, Membership } from "./membership.ts";
export { type ReplicaRole, type ReplicaRoleOptions, replicaRole } from "./replica-role.ts";
