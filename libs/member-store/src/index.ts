export { decodeMember, encodeMember, isUnreadable, readKept } from "./encode-member.ts";
export { type EtcdKeys, etcdKeys } from "./etcd-keys.ts";
export { etcdKnows } from "./etcd-knows.ts";
export { EtcdMemberStore, type EtcdMemberStoreOptions } from "./etcd-member-store.ts";
export {
  faultLeadershipLost,
  faultMemberInvalid,
  faultMemberStore,
  faultMembersNotMovable,
  faultMembersUnreadable,
  faultRankTaken,
} from "./faults.ts";
export type { Member, MemberState } from "./member.ts";
export type { LoadOptions, MemberChange, MemberStore, UnreadableMember } from "./member-store.ts";
export {
  exists,
  type HeldMembers,
  holdMembers,
  type LeftBehindOptions,
  membersFile,
  movedFile,
  openMembers,
  refuseLeftBehind,
  refuseMoved,
} from "./members-file.ts";
export {
  type KeptMembers,
  readMembersFile,
  readMembersInEtcd,
  repairMembersFile,
  repairMembersInEtcd,
} from "./repair-members.ts";
export { SqliteMemberStore, type SqliteMemberStoreOptions } from "./sqlite-member-store.ts";
export type { FencedTerm, Operation, StoreCalls } from "./term-writer.ts";
