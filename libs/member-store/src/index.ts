export { decodeMember, encodeMember } from "./encode-member.ts";
export { type EtcdKeys, etcdKeys } from "./etcd-keys.ts";
export { etcdKnows } from "./etcd-knows.ts";
export { EtcdMemberStore, type EtcdMemberStoreOptions } from "./etcd-member-store.ts";
export {
  faultLeadershipLost,
  faultMemberStore,
  faultMembersNotMovable,
  faultRankTaken,
} from "./faults.ts";
export type { Member, MemberState } from "./member.ts";
export type { MemberChange, MemberStore } from "./member-store.ts";
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
export { SqliteMemberStore, type SqliteMemberStoreOptions } from "./sqlite-member-store.ts";
export type { FencedTerm, Operation, StoreCalls } from "./term-writer.ts";
