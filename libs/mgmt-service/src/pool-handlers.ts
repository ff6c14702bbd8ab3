import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { drpcMethods } from "@daos/drpc";
import { FaultCode, hasCode } from "@daos/fault";
import type { mgmt } from "@daos/proto";
import { deadline } from "@daos/sys";
import { checkSystem } from "./check-system.ts";
import type { EngineCalls } from "./engine-calls.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerAddress, peerCertificateKey } from "./peer-address.ts";
import type { FromClient, PoolCalls } from "./pool-calls.ts";
import { CALL_TIMEOUT_MS, POOL_TIMEOUT_MS } from "./timeouts.ts";

/** The system name that dmg of release 0.8.0 sends by default, whatever the system's name is. */
const USUAL_SYSTEM = "daos_server";

/** The calls about pools. The leader answers them, because it records the pools. */
export function poolHandlers(
  { harness, systemName }: Pick<MgmtServiceOptions, "harness" | "systemName">,
  { pools, engines }: { readonly pools: PoolCalls; readonly engines: EngineCalls },
): Pick<ServiceImpl<typeof mgmt.MgmtSvc>, "poolCreate" | "poolDestroy" | "listPools"> {
  const listInDataPlane = engines.forward(drpcMethods.listPools);

  return {
    async poolCreate(request, context) {
      if (request.sys !== USUAL_SYSTEM) checkSystem(request.sys, systemName);
      using limit = deadline(POOL_TIMEOUT_MS, "creation of a pool", context.signal);
      return await pools.create(request, clientOf(context, limit));
    },

    async poolDestroy(request, context) {
      using limit = deadline(POOL_TIMEOUT_MS, "destruction of a pool", context.signal);
      return await pools.destroy(request, clientOf(context, limit));
    },

    async listPools(request, context) {
      using limit = deadline(CALL_TIMEOUT_MS, "list of the pools", context.signal);
      try {
        return await pools.list(request, clientOf(context, limit));
      } catch (error) {
        // The data plane has its list even without the store of the members.
        if (!harness.hasMsInstance || !isStoreOutage(error)) throw error;
        return await listInDataPlane(request, context);
      }
    },
  };
}

function clientOf(context: HandlerContext, { signal }: { readonly signal: AbortSignal }): FromClient {
  return { signal, caller: context.values.get(peerCertificateKey), address: peerAddress(context) };
}

function isStoreOutage(error: unknown): boolean {
  const { memberStoreUnusable, memberStoreReplaced, electionUnreachable } = FaultCode;
  return [memberStoreUnusable, memberStoreReplaced, electionUnreachable].some((code) => hasCode(error, code));
}
