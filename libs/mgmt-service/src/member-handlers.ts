import type { ServiceImpl } from "@connectrpc/connect";
import { formatHostAddress } from "@daos/hostlist";
import type { mgmt } from "@daos/proto";
import { checkSystem } from "./check-system.ts";
import { joinFromProto } from "./join-from-proto.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerAddress } from "./peer-address.ts";
import { reportFromProto, reportResultToProto } from "./report-from-proto.ts";

/** The handlers of servers' calls to the leader about their own engines, and of the query for the leader. */
export function memberHandlers({
  leadership,
  requests,
  systemName,
}: Pick<MgmtServiceOptions, "leadership" | "requests" | "systemName">): Pick<
  ServiceImpl<typeof mgmt.MgmtSvc>,
  "join" | "reportEngines" | "leaderQuery"
> {
  return {
    async join(request, context) {
      return requests.join(joinFromProto(request, peerAddress(context)), context);
    },

    async reportEngines(request, context) {
      return reportResultToProto(await requests.report(reportFromProto(request, peerAddress(context))));
    },

    leaderQuery({ system }) {
      checkSystem(system, systemName);
      const { leader, accessPoints } = leadership;
      return {
        currentLeader: leader === undefined ? "" : formatHostAddress(leader),
        replicas: accessPoints.map(({ address }) => formatHostAddress(address)),
      };
    },
  };
}
