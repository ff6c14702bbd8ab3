import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type BodyInit, type DrpcMethod, drpcMethods } from "@daos/drpc";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import type { mgmt } from "@daos/proto";
import { deadline } from "@daos/sys";
import { Joins } from "./join.ts";
import { killRank } from "./kill-rank.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerAddress } from "./peer-address.ts";

/** The most a call into the engine may take, ms; the caller's own deadline may end it earlier. */
const CALL_TIMEOUT_MS = 60_000;
/** The real engine needs up to 10 s for a pool on one rank. */
const POOL_TIMEOUT_MS = 300_000;

/**
 * The handlers of `mgmt.MgmtSvc`. What concerns the system is answered on the leader's host, most of it by its engine;
 * PrepShutdown and KillRank by the host that runs the rank.
 */
export function mgmtService(options: MgmtServiceOptions): Partial<ServiceImpl<typeof mgmt.MgmtSvc>> {
  const { harness, leadership, systemName } = options;
  const joins = new Joins(options);

  /** Passes a request on to the engine of the MS replica; the answer is the engine's. */
  const forward =
    <I extends DescMessage, O extends DescMessage>(method: DrpcMethod<I, O>, timeoutMs = CALL_TIMEOUT_MS) =>
    async (request: MessageShape<I>, context: HandlerContext): Promise<MessageShape<O>> => {
      leadership.membership();
      using limit = deadline(timeoutMs, `${method.name} in the engine`, context.signal);
      return (await harness
        .msInstance()
        .call(method, request as unknown as BodyInit<I>, limit)) as MessageShape<O>;
    };

  return {
    async join(request, context) {
      const { uuid, rank, uri, nctxs: contexts, addr: address } = request;
      using limit = deadline(CALL_TIMEOUT_MS, "join", context.signal);
      return await joins.join({ uuid, rank, uri, contexts, address }, peerAddress(context), limit);
    },

    leaderQuery({ system }) {
      if (system !== "" && system !== systemName) throw faultOtherSystem(system, systemName);
      return {
        currentLeader: formatHostAddress(leadership.leader),
        replicas: leadership.replicas.map(formatHostAddress),
      };
    },

    async prepShutdown({ rank }, context) {
      using limit = deadline(CALL_TIMEOUT_MS, `prepare shutdown of rank ${rank}`, context.signal);
      return await harness.byRank(rank).call(drpcMethods.prepShutdown, { rank }, limit);
    },

    async killRank({ rank, force }, context) {
      using limit = deadline(CALL_TIMEOUT_MS, `kill rank ${rank}`, context.signal);
      return { status: await killRank(harness.byRank(rank), { rank, force }, limit) };
    },

    poolCreate: forward(drpcMethods.poolCreate, POOL_TIMEOUT_MS),
    poolDestroy: forward(drpcMethods.poolDestroy, POOL_TIMEOUT_MS),
    listPools: forward(drpcMethods.listPools),
    poolGetACL: forward(drpcMethods.poolGetAcl),
    poolOverwriteACL: forward(drpcMethods.poolOverwriteAcl),
    poolUpdateACL: forward(drpcMethods.poolUpdateAcl),
    poolDeleteACL: forward(drpcMethods.poolDeleteAcl),
    getAttachInfo: forward(drpcMethods.getAttachInfo),
    bioHealthQuery: forward(drpcMethods.bioHealthQuery),
    smdListDevs: forward(drpcMethods.smdListDevs),
    smdListPools: forward(drpcMethods.smdListPools),
  };
}

function faultOtherSystem(asked: string, here: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.otherSystem,
    description: `this host belongs to the system "${here}", not to "${asked}"`,
    resolution: "check the host list and the system name in the client's configuration",
  });
}
