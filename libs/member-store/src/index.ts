export { decodeMember, encodeMember } from "./encode-member.ts";
export { checkEtcdIdentity, type EtcdIdentity, type EtcdIdentityOptions } from "./etcd-identity.ts";
export { type EtcdKeys, etcdKeys } from "./etcd-keys.ts";
export { etcdKnows } from "./etcd-knows.ts";
export { EtcdMemberStore } from "./etcd-member-store.ts";
export type { EventChange, EventRecord } from "./event-record.ts";
export {
  faultLeadershipLost,
  faultMemberStore,
  faultMembersNotMovable,
  faultMembersUnreadable,
  faultRankTaken,
} from "./faults.ts";
export { MarkerFile } from "./marker-file.ts";
export type { Member, MemberState } from "./member.ts";
export type { MemberChange, MemberStore, UnreadableMember } from "./member-store.ts";
export { encodeExport, type MembersExport, readExport } from "./members-export.ts";
export {
  lockMembers,
  membersFile,
  movedFile,
  openMembers,
  openToReplace,
  refuseMoved,
  refuseStaleStore,
} from "./members-file.ts";
export type { PoolChange, PoolRecord } from "./pool-record.ts";
export {
  type KeptMembers,
  readEventsFile,
  readEventsInEtcd,
  readMembersFile,
  readMembersInEtcd,
  repairMembersFile,
  repairMembersInEtcd,
} from "./repair-members.ts";
export { SqliteMemberStore } from "./sqlite-member-store.ts";
export type { Operation } from "./term-writer.ts";
