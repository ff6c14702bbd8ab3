import type { ServiceImpl } from "@connectrpc/connect";
import { formatHostAddress } from "@daos/hostlist";
import { ctl } from "@daos/proto";
import { answerOnce } from "@daos/rpc/server";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { membersToProto, memberToProto } from "./member-to-proto.ts";

/** The members, and who leads them. */
export function systemQueryHandlers({
  leadership,
}: Pick<CtlServiceOptions, "leadership">): Pick<
  ServiceImpl<typeof ctl.MgmtCtl>,
  "systemMemberQuery" | "systemQuery" | "msStatus"
> {
  // Until a member changes, all callers get the same list.
  const memberQueryOfAll = answerOnce(ctl.SystemMemberQueryRespSchema, membersToProto);
  const systemQueryOfAll = answerOnce(ctl.SystemQueryRespSchema, membersToProto);

  return {
    systemMemberQuery() {
      return memberQueryOfAll(leadership.membership().list());
    },

    systemQuery({ selection }) {
      const { ranks = [], hosts = [] } = selection ?? {};
      const membership = leadership.membership();
      if (ranks.length === 0 && hosts.length === 0) return systemQueryOfAll(membership.list());
      const { members, missingRanks, missingHosts } = membership.select(ranks, hosts);
      return {
        members: members.map(memberToProto),
        missingRanks: [...missingRanks],
        missingHosts: [...missingHosts],
      };
    },

    msStatus() {
      const { status, accessPoints } = leadership;
      return {
        leadsHere: status.leadsHere,
        leader: status.leader === undefined ? "" : formatHostAddress(status.leader),
        term: BigInt(status.term ?? 0),
        store: status.store,
        outage: status.outage?.message ?? "",
        members: status.members ?? 0,
        unsavedEvents: status.unsavedEvents ?? 0,
        accessPoints: accessPoints.map(({ address }) => formatHostAddress(address)),
      };
    },
  };
}
