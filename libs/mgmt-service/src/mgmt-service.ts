import type { ServiceImpl } from "@connectrpc/connect";
import type { mgmt } from "@daos/proto";
import { EngineCalls } from "./engine-calls.ts";
import { engineHandlers } from "./engine-handlers.ts";
import { memberHandlers } from "./member-handlers.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";
import { peerHandlers } from "./peer-handlers.ts";
import { PoolCalls } from "./pool-calls.ts";
import { poolHandlers } from "./pool-handlers.ts";

/**
 * The handlers of `mgmt.MgmtSvc`. Calls about members are answered by the leader; calls about pools by an engine with a
 * replica; calls about one rank by the host that runs it.
 */
export function mgmtService(options: MgmtServiceOptions): ServiceImpl<typeof mgmt.MgmtSvc> {
  const engines = new EngineCalls(options);
  const pools = new PoolCalls(options);
  return {
    ...memberHandlers(options),
    ...poolHandlers(options, { pools, engines }),
    ...engineHandlers(options, engines),
    ...peerHandlers(options, pools),
  };
}
