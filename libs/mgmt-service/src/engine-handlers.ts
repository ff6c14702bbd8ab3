import type { ServiceImpl } from "@connectrpc/connect";
import { drpcMethods } from "@daos/drpc";
import { mgmt } from "@daos/proto";
import { answerOnce } from "@daos/rpc/server";
import { deadline } from "@daos/sys";
import { type AttachRank, attachInfo } from "@daos/system";
import type { EngineCalls } from "./engine-calls.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerCertificateKey } from "./peer-address.ts";
import { SharedCalls } from "./shared-calls.ts";
import { CALL_TIMEOUT_MS } from "./timeouts.ts";

/** Maximum number of concurrent calls to an engine for clients that attach. */
const MAX_ATTACH_CALLS = 4;

/** The handlers of calls that an engine with a replica answers: ACLs of pools, how to attach, the health of devices. */
export function engineHandlers(
  { leadership }: Pick<MgmtServiceOptions, "leadership">,
  engines: EngineCalls,
): Pick<
  ServiceImpl<typeof mgmt.MgmtSvc>,
  | "poolGetACL"
  | "poolOverwriteACL"
  | "poolUpdateACL"
  | "poolDeleteACL"
  | "getAttachInfo"
  | "bioHealthQuery"
  | "smdListDevs"
  | "smdListPools"
> {
  const attachTo = answerOnce(mgmt.GetAttachInfoRespSchema, (psrs: readonly AttachRank[]) => ({
    psrs: [...psrs],
  }));
  const attaching = new SharedCalls<mgmt.GetAttachInfoResp>(MAX_ATTACH_CALLS);

  return {
    poolGetACL: engines.forward(drpcMethods.poolGetAcl),
    poolOverwriteACL: engines.forward(drpcMethods.poolOverwriteAcl),
    poolUpdateACL: engines.forward(drpcMethods.poolUpdateAcl),
    poolDeleteACL: engines.forward(drpcMethods.poolDeleteAcl),

    async getAttachInfo(request, context) {
      using limit = deadline(CALL_TIMEOUT_MS, "members to attach by", context.signal);
      const psrs = await attachInfo(leadership, limit);
      if (psrs !== undefined) return attachTo(psrs);
      // A job starts on thousands of nodes at once: shared calls limit the engine's work, and leave room for
      // administrators.
      const caller = context.values.get(peerCertificateKey);
      const ask = () => engines.ask(drpcMethods.getAttachInfo, request, { caller });
      return await attaching.call(request.sys, ask, limit);
    },

    bioHealthQuery: engines.forwardOnLeader(drpcMethods.bioHealthQuery),
    smdListDevs: engines.forwardOnLeader(drpcMethods.smdListDevs),
    smdListPools: engines.forwardOnLeader(drpcMethods.smdListPools),
  };
}
